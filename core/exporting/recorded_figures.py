"""Whether a model that is about to leave still is what its run says it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.errors import UserError

if TYPE_CHECKING:
    from core.run import Run

LARGEST_CHANGE = 1e-3  # of a figure that was taken in the same precision
ROUNDED = 2e-2  # of one that was taken in another


def require_figures_of_run(figures: Mapping[str, Any], run: Run) -> None:
    """Refuse a model whose figures on the test part are not those that its run keeps in `metrics.json`.

    It is the headline that is compared: others, such as the log loss, are changed by a calibration.

    Args:
        figures: Of the Keras model on the data as they are now.
        run: A finished run.

    Raises:
        UserError: The headline differs.
    """
    kept = run.metrics["test"]
    plain = run.as_trained.fit.precision == "float32"
    allowed = LARGEST_CHANGE if plain else ROUNDED
    name = run.experiment.task.headline()
    if name is not None and name in kept and name in figures:
        change = abs(figures[name] - kept[name])
        if not change <= allowed * max(1.0, abs(kept[name])):
            raise UserError(
                f"{run.folder} does not answer as when it was judged: its model or its data changed. "
                f"Bring them back, or train anew. Received: {name} {figures[name]:.4f}, in metrics.json "
                f"{kept[name]:.4f}."
            )

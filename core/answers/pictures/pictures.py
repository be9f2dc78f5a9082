"""Pictures as answers, beside the true ones where there are any: likeness, and the pictures themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.compared import WORST_SHARE, Compared
from core.answers.kind import Tree
from core.answers.pictures.drawing import is_picture, side_by_side
from core.answers.pictures.findings import findings
from core.answers.pictures.histogram import pictures
from core.answers.pictures.likeness import likeness
from core.answers.rows import Direction
from core.shown import Item, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

MOST_DECIBELS = 100.0  # what a picture equal to the true one counts as


class Pictures(Compared):
    """How like the true pictures the answers are; nothing of answers that are samples, without a truth.

    Args:
        measured: `psnr` in decibels and `ssim`, those that there are, each of shape `(num_pictures,)`.
        truth: What tells the true pictures apart, shape `(num_pictures,)`.

    Example:

    >>> answers = Pictures({"psnr": np.array([30.0, 20.0])}, np.array(["a", "b"]))
    >>> answers.statistics(np.arange(2)), answers.mistakes(1).tolist()
    ({'psnr': 25.0}, [1])
    """

    kind: ClassVar[str] = "pictures"
    figures: ClassVar[Mapping[str, Direction]] = {"psnr": "max", "ssim": "max"}
    mistakes_title: ClassVar[str] = "The pictures, the least like the truth first where it is known"

    @classmethod
    def likeness_of(cls, predicted: Any, true: Any) -> dict[str, Any]:
        """Return `likeness` of two pictures."""
        if not (is_picture(predicted) and is_picture(true)):
            raise KeyError(cls.figure())
        return likeness(predicted, true)

    @property
    def losses(self) -> np.ndarray:
        """How many decibels each picture is from one equal to the true one; 0 without a truth."""
        if "psnr" not in self.measured:
            return np.zeros(len(self))
        return np.maximum(MOST_DECIBELS - self.measured["psnr"], 0.0)

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return MOST_DECIBELS - mean_loss

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        has_truth = "psnr" in self.measured
        return {
            "psnr": self.histogram(),
            "spread": self.spread(),
            "worst": self._worst() if has_truth else None,
        }

    def _worst(self) -> dict[str, Any]:
        """Return how much of the squared error is that of the worst tenth."""
        error = np.sort(10 ** (-self.measured["psnr"] / 10))[::-1]
        count = max(round(WORST_SHARE * len(error)), 1)
        return {
            "pictures": count,
            "share_of_error": float(error[:count].sum() / error.sum()),
            "psnr": float(np.sort(self.measured["psnr"])[:count].mean()),
            "rest": float(np.sort(self.measured["psnr"])[count:].mean()) if count < len(error) else None,
        }

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the pictures of the input, the answer and the truth side by side, and what else there is."""
        before = {name: value for name, value in example.items() if is_picture(value)}
        rest = {name: value for name, value in example.items() if name not in before}
        ours = {"answer": row["predicted"], "truth": row.get("true")}
        panels = {**before, **{name: value for name, value in ours.items() if is_picture(value)}}
        items = [*items_of(rest), Item("answer", "text", cls.said(row))]
        if not panels:
            return items
        strip = side_by_side(panels, with_detail=True)
        return [Item(", ".join(panels), "picture", strip, large=True), *items]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return how like the truth an answer is, in words."""
        figure_texts = [f"{name} {row[name]:.4g}" for name in cls.figures if name in row]
        gone = " (its file is gone)" if isinstance(row["predicted"], str) else ""
        return (", ".join(figure_texts) or f"sample {row.get('row', '')}".strip()) + gone

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)

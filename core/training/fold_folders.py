"""Before folds are trained: that all of them can be, and that their folder is free or theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.run import Run

if TYPE_CHECKING:
    from core.data.examples import Splits
    from core.experiment import Experiment


def require_folder(folder: Path, experiment: Experiment, resume: bool) -> None:
    """Refuse a folder whose folds are of another experiment, or are there and not to be gone on with.

    Another answer to leaks is no other experiment: whether a fold stays the same is seen in its data.

    Raises:
        UserError: The folder holds such folds.
    """
    for path in sorted(folder.glob("fold-*/experiment.yaml")):
        if not resume:
            raise UserError(
                f"{folder} already holds folds. Give another --folder, or --resume to go on with them. "
                f"Received: {path.parent.name} in it."
            )
        if not same_but_for_audit(Run(path.parent).experiment, experiment):
            raise UserError(
                f"{folder} holds folds of another configuration, which can't be resumed with this one. Give "
                f"the command that started them, or another --folder. Received: {path.parent.name} in it."
            )


def require_trainable(folds: Iterable[Splits], experiment: Experiment) -> None:
    """Audit all folds, so that none is refused once others are trained.

    Raises:
        UserError: A fold can't be trained on; the message names it.
    """
    for number, splits in enumerate(folds, start=1):
        try:
            experiment.audited(splits, near_duplicates=False)
        except UserError as error:
            raise UserError(f"Fold {number}: {error}") from None


def same_but_for_audit(one: Experiment, other: Experiment) -> bool:
    """Return whether two experiments differ in nothing but what is done about flaws in the data."""
    return one.model_copy(update={"audit": other.audit}) == other


def newest_unfinished_folds(folder: Path, experiment: Experiment) -> Path:
    """Return the newest folder of folds in `folder` that are of this experiment and were cut off.

    Raises:
        UserError: There is none.
    """
    started = sorted(
        folder.glob("*/fold-1/experiment.yaml"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for path in started:
        folds = path.parent.parent
        # A neighbour that is damaged, or of another version, is not the one.
        with contextlib.suppress(UserError):
            same = same_but_for_audit(Run(path.parent).experiment, experiment)
            if same and not (folds / "folds.json").exists():
                return folds
    raise UserError(
        f"No folds in {folder}/ were cut off with this configuration. Give their folder with --folder."
    )

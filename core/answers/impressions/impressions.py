"""Candidates that were shown to somebody, in the order of their scores, beside what was clicked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.finding import Finding
from core.answers.impressions.figures import CUTOFFS, figures_of
from core.answers.kind import Answers, Tree
from core.answers.rows import Direction
from core.shown import Item, items_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration

PLACES = 20  # that a report tells apart
MANY = 0.3  # share of impressions in worse order than by chance, from which a report warns


class Impressions(Answers):
    """How high what was clicked stands among all that was shown with it.

    Args:
        gains: The figures of each impression, name to float64 of shape `(num_impressions,)`.
        first: The place of the first clicked candidate, from 1, of the same shape.
        sizes: How many candidates were shown, of the same shape.
        users: Whom they were shown to.

    Example:

    >>> rows = [{"user": "a", "scores": [0.2, 0.9, 0.4], "clicked": [0, 1, 0]}]
    >>> Impressions.from_rows(rows).statistics(np.arange(1))["auc"]
    1.0
    """

    kind: ClassVar[str] = "impressions"
    mistakes_title: ClassVar[str] = "Impressions in the worst order"
    figures: ClassVar[Mapping[str, Direction]] = {
        "auc": "max",
        "mrr": "max",
        **{f"ndcg@{cutoff}": "max" for cutoff in CUTOFFS},
    }

    def __init__(
        self, gains: Mapping[str, np.ndarray], first: np.ndarray, sizes: np.ndarray, users: Sequence[str]
    ) -> None:
        self.gains = gains
        self.first = first
        self.sizes = sizes
        self.users = users

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Impressions:
        """Read rows with `user`, the `scores` of all candidates, and whether each was `clicked`."""
        gains, first, sizes, users = [], [], [], []
        for row in rows:
            scores, clicked = np.asarray(row["scores"], np.float64), np.asarray(row["clicked"], bool)
            gains.append(figures_of(scores, clicked))
            first.append(int((scores[~clicked] >= scores[clicked].max()).sum()) + 1)
            sizes.append(len(scores))
            users.append(str(row["user"]))
        by_name = {name: np.array([each[name] for each in gains]) for name in cls.figures}
        return cls(by_name, np.array(first), np.array(sizes), users)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def truth(self) -> np.ndarray:
        """The user of each impression: two runs can be paired where these are equal."""
        return np.asarray(self.users)

    @property
    def losses(self) -> np.ndarray:
        """1 less AUC, of each impression."""
        return 1 - self.gains[self.figure()]

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return 1 - mean_loss

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the impressions at these indices, each as often as it stands there."""
        return {name: float(values[rows].mean()) for name, values in self.gains.items()}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the impressions of the lowest AUC, the largest of them first."""
        return np.lexsort((-self.sizes, -self.losses))[:count]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        return {
            "places": np.bincount(np.minimum(self.first, PLACES + 1), minlength=PLACES + 2)[1:-1].tolist(),
            "impressions": len(self),
            "mean_candidates": float(self.sizes.mean()),
            "worse_than_chance": float((self.losses > 0.5).mean()),
        }

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the user, what they clicked and what stood first, as the task names them."""
        return items_of(example or row)

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        from core.answers.canvas import COLOURS, canvas

        places = tree["details"]["places"]
        figure, axes = canvas(3.2)
        axes.bar(range(1, len(places) + 1), places, color=COLOURS[0])
        axes.set(xlabel="place of the first clicked candidate", ylabel="impressions")
        return {"places": figure}

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield that many impressions are in worse order than by chance."""
        share = tree["details"]["worse_than_chance"]
        if share > MANY:
            yield Finding(
                "Many impressions are in worse order than by chance",
                f"{share:.0%} of impressions have an AUC below 0.5",
                "Look at some of them: are their histories short, or their titles of unknown words?",
                share / 2,
                "mistakes",
            )

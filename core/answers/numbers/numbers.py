"""Predicted numbers beside the true ones: figures, residuals, and errors by size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.kind import Answers, Tree
from core.answers.numbers.findings import findings
from core.answers.numbers.pictures import pictures
from core.answers.rows import Direction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

NUM_BARS = 40
NUM_LEVELS = 10


class Numbers(Answers):
    """What was predicted for each example and what is true.

    Args:
        truth: float64, shape `(num_examples,)`.
        predicted: Of the same shape.

    Example:

    >>> answers = Numbers(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    >>> round(answers.statistics(np.arange(2))["rmse"], 4)
    0.7071
    """

    kind: ClassVar[str] = "numbers"
    figures: ClassVar[Mapping[str, Direction]] = {"rmse": "min", "mae": "min"}

    def __init__(self, truth: np.ndarray, predicted: np.ndarray) -> None:
        self._truth = np.asarray(truth, np.float64)
        self.predicted = np.asarray(predicted, np.float64)
        self.residuals = self.predicted - self.truth

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Numbers:
        """Read rows with `true` and `predicted`."""
        pairs = ((row["true"], row["predicted"]) for row in rows)
        table = np.fromiter(pairs, dtype=[("truth", np.float64), ("predicted", np.float64)])
        return cls(table["truth"], table["predicted"])

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def truth(self) -> np.ndarray:
        """The true number of each example, float64."""
        return self._truth

    @cached_property
    def losses(self) -> np.ndarray:
        """The squared error of each example."""
        return self.residuals**2

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the figure of slices from the mean of `losses`."""
        return mean_loss**0.5

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the examples at these indices, each as often as it stands there."""
        return {
            "rmse": float(self.losses[rows].mean() ** 0.5),
            "mae": float(np.abs(self.residuals[rows]).mean()),
        }

    def row(self, place: int) -> dict[str, Any]:
        """Return one answer as a run's `predictions.jsonl` has it."""
        return {"row": place, "true": float(self.truth[place]), "predicted": float(self.predicted[place])}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the answers that are furthest off, worst first."""
        return np.argsort(-np.abs(self.residuals), kind="stable")[:count]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        low, high = float(self.residuals.min()), float(self.residuals.max())
        # Residuals that are all alike, but for rounding, are too narrow a range to divide.
        room = 0.0 if high - low > 1e-6 * max(abs(low), abs(high), 1e-6) else max(abs(high), 1.0) / 2
        counts, edges = np.histogram(self.residuals, bins=NUM_BARS, range=(low - room, high + room))
        variance = float(self.truth.var())
        return {
            "residuals": {"counts": counts.tolist(), "edges": edges.tolist()},
            "mean_residual": float(self.residuals.mean()),
            "standard_error": float(self.residuals.std() / len(self) ** 0.5),
            "explained_variance": 1 - float(self.losses.mean()) / variance if variance else None,
            "levels": self._levels(),
        }

    def _levels(self) -> list[dict[str, Any]]:
        """Return how examples of each level of the truth are predicted: each value, or tenths of them."""
        values = np.unique(self.truth)
        if len(values) <= NUM_LEVELS:
            places = np.searchsorted(values, self.truth)
        else:
            edges = np.unique(np.quantile(self.truth, np.linspace(0, 1, NUM_LEVELS + 1)[1:-1]))
            places = np.searchsorted(edges, self.truth)
        levels = []
        for place in np.unique(places):
            inside = places == place
            low, high = np.quantile(self.predicted[inside], (0.1, 0.9))
            levels.append(
                {
                    "truth": float(self.truth[inside].mean()),
                    "predicted": float(self.predicted[inside].mean()),
                    "predicted_low": float(low),
                    "predicted_high": float(high),
                    "rmse": self.of_loss(float(self.losses[inside].mean())),
                    "examples": int(inside.sum()),
                    "share_of_loss": float(self.losses[inside].sum() / max(self.losses.sum(), 1e-12)),
                }
            )
        return levels

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return the number that was predicted beside the true one."""
        return f"true {row['true']:.2f}, answered {row['predicted']:.2f}"

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)

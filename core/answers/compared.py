"""Answers whose rows tell how like the truth they are: means of numbers, spreads, and the furthest off."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from core.answers.kind import Answers

NUM_BARS = 30
WORST_SHARE = 0.1


class Compared(Answers):
    """How like the truth the answers are; nothing of answers that are samples, without a truth.

    Args:
        measured: Those of `figures` and `beside` that there are, each of shape `(num_answers,)`.
        truth: What tells the true answers apart, shape `(num_answers,)`.
    """

    beside: ClassVar[tuple[str, ...]] = ()
    """What rows tell besides the figures, where they tell it."""

    def __init__(self, measured: Mapping[str, np.ndarray], truth: np.ndarray) -> None:
        self.measured = {name: np.asarray(values, np.float64) for name, values in measured.items()}
        self._truth = truth

    @classmethod
    @abstractmethod
    def likeness_of(cls, predicted: Any, true: Any) -> dict[str, Any]:
        """Return what a row tells of an answer and the truth, neither of them kept as a file.

        Raises:
            KeyError: One of them is the path of a file.
        """

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Read rows with `predicted` and, where there is a truth, `true` and what a likeness tells of both.

        What is predicted may be as `evaluate` wrote it, or the path of the file that a run keeps it in.
        """
        read = [cls._measured(row) for row in rows]
        names = [name for name in (*cls.figures, *cls.beside) if name in read[0]]
        measured = {name: np.array([row[name] for row in read], np.float64) for name in names}
        if all("truth" in row for row in read):
            return cls(measured, np.array([row["truth"] for row in read]))
        # Nothing says that two models were asked for the same: NaN is equal to none.
        return cls(measured, np.full(len(read), np.nan))

    @classmethod
    def _measured(cls, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a row without its files, with its likeness to the truth where there is one."""
        predicted, true = row["predicted"], row.get("true")
        likeness = {name: row[name] for name in (*cls.figures, *cls.beside, "truth") if name in row}
        if true is None or next(iter(cls.figures)) in likeness:
            return likeness
        return cls.likeness_of(predicted, true)

    def __len__(self) -> int:
        return len(self._truth)

    @property
    def truth(self) -> np.ndarray:
        """What tells the true answers apart: two runs can be paired where these are equal."""
        return self._truth

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the answers at these indices, each as often as it stands there."""
        return {
            name: float(values[rows].mean()) for name, values in self.measured.items() if name in self.figures
        }

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the answers least like the truth, worst first; without one the first."""
        return np.argsort(-self.losses, kind="stable")[:count]

    def histogram(self) -> dict[str, list[float]] | None:
        """Return how often the first figure is of each size; nothing without a truth."""
        values = self.measured.get(self.figure())
        if values is None:
            return None
        low, high = float(values.min()), float(values.max())
        room = 0.0 if high - low > 0.1 else 0.5
        counts, edges = np.histogram(values, bins=NUM_BARS, range=(low - room, high + room))
        return {"counts": counts.tolist(), "edges": edges.tolist()}

    def spread(self) -> dict[str, dict[str, float]]:
        """Return the worst, the middle and the best of each figure."""
        return {
            name: _spread(values, lower_is_better=self.figures[name] == "min")
            for name, values in self.measured.items()
            if name in self.figures
        }


def _spread(values: np.ndarray, *, lower_is_better: bool) -> dict[str, float]:
    shares = {"worst": 0.0, "low": WORST_SHARE, "median": 0.5, "high": 1 - WORST_SHARE, "best": 1.0}
    return {
        name: float(np.quantile(values, 1 - share if lower_is_better else share))
        for name, share in shares.items()
    }


def hash_of(content: np.ndarray) -> str:
    """Return what two equal arrays have in common, and no others.

    Example:

    >>> hash_of(np.zeros(3, np.uint8)) == hash_of(np.zeros((3, 1), np.uint8))
    False
    """
    whole = np.ascontiguousarray(content)
    return hashlib.sha256(repr((whole.shape, whole.dtype.str)).encode() + whole.tobytes()).hexdigest()[:16]

"""How far the outputs of an export are from those of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.task.portable import Score


class Difference:
    """Scores by an export, and keeps how far it is from the model at most.

    Args:
        expected: Scores by the model.
        received: Scores by the export; called for what this returns.

    Attributes:
        largest: Difference of two numbers; infinite where whole numbers or texts, which have no distance,
            are not the same, or an input's own array has another length.
        share: The same, as a share of the largest number of its array where that is above 1.
        misshapen: What is wrong with the outputs, if they can't be those of these inputs at all.

    Example:

    >>> difference = Difference(lambda raw: np.array([[1.0, 2.0]]), lambda raw: np.array([[1.5, 2.0]]))
    >>> difference(["a lovely film"])
    array([[1.5, 2. ]])
    >>> difference.largest, difference.share
    (0.5, 0.25)
    """

    def __init__(self, expected: Score, received: Score) -> None:
        self.expected, self.received = expected, received
        self.largest = self.share = 0.0
        self.misshapen = ""

    def __call__(self, raw: Sequence[Any]) -> Any:
        """Return what the export makes of raw inputs, with numbers in place of what is not finite."""
        return self._compared(self.expected(raw), self.received(raw), "outputs")

    def _compared(self, expected: Any, received: Any, where: str) -> Any:
        if isinstance(expected, Mapping):
            names = list(received) if isinstance(received, Mapping) else []
            if set(names) != set(expected):
                return self._refused(expected, f"{where} are {names or type(received).__name__}")
            return {
                name: self._compared(expected[name], received[name], f"{where}[{name!r}]")
                for name in expected
            }
        if isinstance(expected, list | tuple):
            if not isinstance(received, list | tuple) or len(received) != len(expected):
                return self._refused(expected, f"{where} are not one for each of {len(expected)} inputs")
            return [self._of_one_input(*each) for each in zip(expected, received, strict=True)]
        expected, received = np.asarray(expected), np.asarray(received)
        if expected.shape != received.shape:
            return self._refused(expected, f"{where} have the shape {received.shape}, not {expected.shape}")
        return self._close(expected, received)

    def _of_one_input(self, expected: Any, received: Any) -> np.ndarray:
        expected, received = np.asarray(expected), np.asarray(received)
        if expected.shape != received.shape:  # as quantisation may make it
            self.largest = self.share = float("inf")
            return _finite(received)
        return self._close(expected, received)

    def _close(self, expected: np.ndarray, received: np.ndarray) -> np.ndarray:
        if expected.dtype.kind != "f" or received.dtype.kind != "f":
            if not np.array_equal(expected, received):
                self.largest = self.share = float("inf")
            return _finite(received)
        if not np.isfinite(received).all():
            self.largest = self.share = float("inf")
            return _finite(received)
        largest = float(np.abs(expected - received).max(initial=0.0))
        self.largest = max(self.largest, largest)
        self.share = max(self.share, largest / max(1.0, float(np.abs(expected).max(initial=0.0))))
        return received

    def _refused(self, expected: Any, reason: str) -> Any:
        """Keep why, and let the figures go on with something of the right form: they won't be shown."""
        self.misshapen = self.misshapen or reason
        self.largest = self.share = float("inf")
        return expected


def _finite(received: np.ndarray) -> np.ndarray:
    return np.nan_to_num(received) if received.dtype.kind == "f" else received

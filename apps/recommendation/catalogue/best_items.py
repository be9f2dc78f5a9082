"""The best of all items; needs NumPy alone, so that exports take it along."""

from __future__ import annotations

import numpy as np


def best_items(scores: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the items with the highest scores, best first, and their scores.

    Args:
        scores: Of all items, shape `(num_users, num_items)`.
        top: How many, at least 1.

    Returns:
        Two arrays of shape `(num_users, min(top, num_items))`.

    Example:

    >>> best_items(np.array([[0.1, 0.9, 0.5]]), top=2)
    (array([[1, 2]]), array([[0.9, 0.5]]))
    """
    count = min(top, scores.shape[1])
    best = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    return best, np.take_along_axis(scores, best, axis=1)

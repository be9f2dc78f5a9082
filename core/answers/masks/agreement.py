"""How far a mask agrees with the true one, as a row of answers tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.answers.compared import hash_of

UNLABELLED = 255  # in a mask of places of classes: pixels that nobody has judged


def agreement(
    predicted: np.ndarray,
    true: np.ndarray,
    labels: Sequence[str],
    *,
    background: str | None = None,
    tolerance: int = 2,
) -> dict[str, Any]:
    """Return what a row tells of a predicted mask and the true one.

    Args:
        predicted: Places of classes among `labels`, uint8, shape `(height, width)`.
        true: Likewise; 255 where nobody knows.
        labels: Names of the classes, 255 at most.
        background: The class that figures leave out, if any.
        tolerance: Pixels that the edge of a class may be off and still count as found.

    Returns:
        `labels`; `pixels`, how many of each class are taken for each, those that occur; `edges`, for each
        class that is judged how many pixels of its predicted edge lie near the true one, how many it has, and
        the other way round; and `truth`, a hash of the true mask.

    Source: of edges Csurka et al., What is a good evaluation measure for semantic segmentation? (2013).

    Example:

    >>> row = agreement(np.zeros((2, 2), np.uint8), np.array([[0, 0], [0, 1]], np.uint8), ["sky", "cat"])
    >>> row["pixels"]
    {'sky': {'sky': 3}, 'cat': {'sky': 1}}
    """
    known = true != UNLABELLED
    counts = np.bincount(
        true[known].astype(np.int64) * len(labels) + predicted[known], minlength=len(labels) ** 2
    ).reshape(len(labels), len(labels))
    pixels = {
        label: {other: int(n) for other, n in zip(labels, row, strict=True) if n}
        for label, row in zip(labels, counts, strict=True)
        if row.any()
    }
    edges = {
        label: _edges(predicted == place, true == place, known, tolerance)
        for place, label in enumerate(labels)
        if label != background
    }
    return {"labels": list(labels), "pixels": pixels, "edges": edges, "truth": hash_of(true)}


def _edges(predicted: np.ndarray, true: np.ndarray, known: np.ndarray, tolerance: int) -> list[int]:
    """Return how much of each edge lies near the other."""
    if not (predicted.any() or true.any()):
        return [0, 0, 0, 0]
    own, other = (_edge(mask) & known for mask in (predicted, true))
    return [
        int((own & _near(other, tolerance)).sum()),
        int(own.sum()),
        int((other & _near(own, tolerance)).sum()),
        int(other.sum()),
    ]


def _edge(mask: np.ndarray) -> np.ndarray:
    """Return the pixels of a class that have a neighbour of another; the edge of the picture is none."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return mask & ~inner


def _near(edge: np.ndarray, tolerance: int) -> np.ndarray:
    """Return the pixels that lie within a distance of an edge."""
    from scipy.ndimage import binary_dilation

    if not tolerance or not edge.any():
        return edge
    y, x = np.mgrid[-tolerance : tolerance + 1, -tolerance : tolerance + 1]
    return np.asarray(binary_dilation(edge, x**2 + y**2 <= tolerance**2))

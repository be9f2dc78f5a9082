"""Which of several boxes on one object stay, in NumPy, for the run and its exports alike."""

from __future__ import annotations

import numpy as np

SOFTNESS = 0.5  # of the Gaussian by which soft suppression lowers scores


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of a box with others.

    Args:
        box: `(left, top, right, bottom)`.
        others: Shape `(num_others, 4)`.
    """
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0.0), axis=1)
    union = np.prod(np.maximum(box[2:] - box[:2], 0.0)) + areas - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def suppressed(
    boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, *, overlap: float, soft: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return which boxes stay, the surest first, and their scores; each class is looked at by itself.

    Args:
        boxes: `(left, top, right, bottom)`, shape `(num_boxes, 4)`.
        scores: Shape `(num_boxes,)`.
        classes: int, shape `(num_boxes,)`.
        overlap: A box that overlaps a surer one of its class by more is left out.
        soft: Lower its score by how much they overlap instead (Bodla et al., Soft-NMS, 2017, the Gaussian).

    Returns:
        Rows, int, and the scores, float64, both of shape `(num_kept,)`.

    Example:

    >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]], np.float64)
    >>> rows, scores = suppressed(boxes, np.array([0.8, 0.9, 0.5]), np.zeros(3, int), overlap=0.5)
    >>> rows.tolist()
    [1, 2]
    """
    scores = scores.astype(np.float64)
    kept: list[int] = []
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        while len(rows):
            best, rows = rows[0], rows[1:]
            kept.append(int(best))
            shared = overlaps(boxes[best], boxes[rows])
            if soft:
                scores[rows] *= np.exp(-(shared**2) / SOFTNESS)
                rows = rows[np.argsort(-scores[rows], kind="stable")]
            else:
                rows = rows[shared <= overlap]
    order = np.array(kept, np.int64)
    order = order[np.argsort(-scores[order], kind="stable")]
    return order, scores[order]

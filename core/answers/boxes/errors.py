"""What is wrong with the boxes of a picture: missed, doubled, badly placed, of another class, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.answers.boxes.detections import Objects

HIT = 0.5  # overlap from which a box is the right one
NEAR = 0.1  # overlap from which a box means an object, and is badly placed
WELL_PLACED = 0.75


@dataclass(frozen=True, eq=False)
class Errors:
    """What became of the objects of one picture.

    Args:
        hits: Pairs of a true and a predicted place that agree, int, shape `(num_hits, 2)`.
        confused: Pairs that overlap, and differ in their class, likewise.
        loose: Of the hits, those that overlap less than 0.75.
        duplicates: Predictions of an object that another, surer one has taken.
        misplaced: Predictions that overlap an object of their class, but too little.
        background: Predictions where there is no such object.
        missed: True objects that no prediction hits, the confused left out.
    """

    hits: np.ndarray
    confused: np.ndarray
    loose: int
    duplicates: np.ndarray
    misplaced: np.ndarray
    background: np.ndarray
    missed: np.ndarray


def errors_of(true: Objects, predicted: Objects) -> Errors:
    """Return what became of the true and the predicted objects of one picture.

    Source: the kinds of Bolya et al., TIDE: A General Toolbox for Identifying Object Detection Errors (2020).
    """
    from core.metrics.detection import intersection_over_union

    overlap = intersection_over_union(predicted.boxes, true.boxes)
    same = predicted.classes[:, None] == true.classes[None, :]
    own = np.where(same, overlap, 0.0)
    hits = _pairs(own)
    rest = overlap.copy()
    rest[hits[:, 1]] = 0.0
    rest[:, hits[:, 0]] = 0.0
    confused = _pairs(np.where(same, 0.0, rest))
    settled = np.concatenate([hits, confused])
    wrong = np.setdiff1d(np.arange(len(predicted)), settled[:, 1])
    nearest = own[wrong].max(axis=1, initial=0.0)
    return Errors(
        hits,
        confused,
        int((overlap[hits[:, 1], hits[:, 0]] < WELL_PLACED).sum()),
        wrong[nearest >= HIT],
        wrong[(nearest < HIT) & (nearest >= NEAR)],
        wrong[nearest < NEAR],
        np.setdiff1d(np.arange(len(true)), settled[:, 0]),
    )


def _pairs(overlap: np.ndarray) -> np.ndarray:
    """Return the pairs of a true and a predicted place, int, shape `(num_pairs, 2)`."""
    from core.metrics.detection import matches

    (taken,) = matches(overlap, np.array([HIT]))
    predicted = np.flatnonzero(taken >= 0)
    return np.stack([taken[predicted], predicted], axis=1)

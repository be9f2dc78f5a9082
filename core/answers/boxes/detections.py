"""The boxes of pictures, and the detections of each class over all pictures, matched and ranked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

THRESHOLDS = np.linspace(0.5, 0.95, 10).round(2)
RECALLS = np.linspace(0, 1, 101)
MOST_DETECTIONS = 100  # of a class in a picture, as COCO counts
ANY_AREA = (0.0, math.inf)
AREAS = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, math.inf)}
"""Square pixels, as COCO divides them; what lies on an edge counts on either side."""


@dataclass(frozen=True, eq=False)
class Objects:
    """The true or the predicted objects of one picture, of the predicted the surest first.

    Args:
        boxes: `(left, top, right, bottom)` in pixels, float64, shape `(num_objects, 4)`.
        classes: Place of each label, int, shape `(num_objects,)`.
        scores: How sure each is, float64, shape `(num_objects,)`; 1 of true ones.
    """

    boxes: np.ndarray
    classes: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def areas(self) -> np.ndarray:
        """Square pixels, float64, shape `(num_objects,)`."""
        return areas_of(self.boxes)

    def at_least(self, score: float) -> Objects:
        """Return those of a score or a higher one."""
        sure = self.scores >= score
        return Objects(self.boxes[sure], self.classes[sure], self.scores[sure])


def objects_of(rows: Sequence[Mapping[str, Any]], places: Mapping[str, int], *, scored: bool) -> Objects:
    """Return objects as `Boxes` reads them from a row, in order of their scores.

    Args:
        rows: Each with `label`, `box` and, where it is predicted, `score`.
        places: Label to class.
        scored: Whether they are predicted.

    Raises:
        KeyError: One lacks what it needs.
    """
    scores = np.array([row["score"] if scored else 1.0 for row in rows], np.float64)
    order = np.argsort(-scores, kind="stable")
    boxes = np.array([row["box"] for row in rows], np.float64).reshape(-1, 4)
    classes = np.array([places[row["label"]] for row in rows], np.int64)
    return Objects(boxes[order], classes[order], scores[order])


def areas_of(boxes: np.ndarray) -> np.ndarray:
    """Return the areas of boxes, shape `(num_boxes,)`."""
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)


@dataclass(frozen=True, eq=False)
class Ranked:
    """The detections of one class in all pictures, best first, and what they hit.

    Args:
        scores: float64, shape `(num_detections,)`, falling.
        pictures: Which picture each is of, int, of the same shape.
        hits: Whether it hits a true box at each of `THRESHOLDS`, bool, shape `(10, num_detections)`.
        ignored: Whether it is neither right nor wrong, bool, likewise.
        num_true: True boxes that count, of each picture, int, shape `(num_pictures,)`.
    """

    scores: np.ndarray
    pictures: np.ndarray
    hits: np.ndarray
    ignored: np.ndarray
    num_true: np.ndarray

    @cached_property
    def _counted(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The pictures of the detections that count at each threshold, and the places of hits among them."""
        return [
            (self.pictures[~ignored], np.flatnonzero(hits[~ignored]))
            for hits, ignored in zip(self.hits, self.ignored, strict=True)
        ]

    def average_precision(self, weights: np.ndarray) -> np.ndarray | None:
        """Return the mean of the precision at 101 recalls, one a threshold; nothing without true boxes.

        Args:
            weights: How often each picture counts, int, shape `(num_pictures,)`.

        Source: Lin et al., Microsoft COCO (2014), and its evaluation code.
        """
        num_true = int(weights @ self.num_true)
        if not num_true:
            return None
        return np.array([_mean_precision(weights[where], hits, num_true) for where, hits in self._counted])

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return recall and precision after each hit at an overlap of 0.5."""
        _, hits = self._counted[0]
        num_hits = np.arange(1, len(hits) + 1)
        return num_hits / max(int(self.num_true.sum()), 1), num_hits / (hits + 1)


def _mean_precision(weights: np.ndarray, hits: np.ndarray, num_true: int) -> float:
    cumulative_hits = np.cumsum(weights[hits])
    precision = cumulative_hits / np.maximum(np.cumsum(weights)[hits], 1)
    # The best precision at this recall or a higher one, and 0 at recalls that are never reached.
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best[np.searchsorted(cumulative_hits / num_true, RECALLS, side="left")].mean())


def ranked_detections(
    truths: Sequence[Objects],
    predictions: Sequence[Objects],
    num_classes: int,
    area: tuple[float, float] = ANY_AREA,
) -> list[Ranked]:
    """Return the detections of each class, matched picture by picture.

    Args:
        truths: True objects of each picture.
        predictions: Predicted objects of each picture.
        num_classes: Classes, those without any detection among them.
        area: Least and largest area of the true boxes that count. Of the others, and of detections of other
            sizes that hit none, neither counts.
    """
    parts: list[list[tuple[np.ndarray, ...]]] = [[] for _ in range(num_classes)]
    num_true = np.zeros((num_classes, len(truths)), np.int64)
    for place, (true, predicted) in enumerate(zip(truths, predictions, strict=True)):
        outside = ~_within(true.areas, area)
        num_true[:, place] = np.bincount(true.classes[~outside], minlength=num_classes)
        for label in np.unique(predicted.classes):
            rows = np.flatnonzero(predicted.classes == label)[:MOST_DETECTIONS]
            here = true.classes == label
            hits, ignored = _outcomes(predicted.boxes[rows], true.boxes[here], outside[here], area)
            parts[label].append((predicted.scores[rows], np.full(len(rows), place), hits, ignored))
    return [_joined(part, counts) for part, counts in zip(parts, num_true, strict=True)]


def _within(areas: np.ndarray, area: tuple[float, float]) -> np.ndarray:
    return (areas >= area[0]) & (areas <= area[1])


def _outcomes(
    boxes: np.ndarray, true: np.ndarray, outside: np.ndarray, area: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each detection hits, and whether it is ignored, each one a threshold."""
    from core.metrics.detection import intersection_over_union, matches

    taken = matches(intersection_over_union(boxes, true), THRESHOLDS, outside)
    hit = taken >= 0
    beside = hit & outside[taken] if len(true) else np.zeros_like(hit)
    return hit & ~beside, beside | (~hit & ~_within(areas_of(boxes), area))


def _joined(parts: Iterable[tuple[np.ndarray, ...]], num_true: np.ndarray) -> Ranked:
    nothing = np.zeros((len(THRESHOLDS), 0), bool)
    whole = [(np.zeros(0), np.zeros(0, np.int64), nothing, nothing), *parts]
    scores, pictures, hits, ignored = (np.concatenate(column, axis=-1) for column in zip(*whole, strict=True))
    order = np.argsort(-scores, kind="stable")
    return Ranked(scores[order], pictures[order], hits[:, order], ignored[:, order], num_true)

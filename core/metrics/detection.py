"""Mean average precision of detectors, the COCO way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).round(2).tolist())
RECALLS = np.linspace(0, 1, 101)


def intersection_over_union(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the overlap of every box with every other.

    Args:
        boxes: `(left, top, right, bottom)` in any unit, shape `(num_boxes, 4)`.
        others: Likewise, shape `(num_others, 4)`.

    Returns:
        float64, shape `(num_boxes, num_others)`, from 0 to 1; 0 where neither box has an area.

    Example:

    >>> intersection_over_union(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2]])).round(4).tolist()
    [[0.3333]]
    """
    boxes, others = (np.asarray(each, np.float64).reshape(-1, 4) for each in (boxes, others))
    lower = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    upper = np.maximum(boxes[:, None, :2], others[None, :, :2])
    common = np.prod(np.maximum(lower - upper, 0), axis=-1)
    area, other_area = (
        np.prod(np.maximum(each[:, 2:] - each[:, :2], 0), axis=-1) for each in (boxes, others)
    )
    union = area[:, None] + other_area[None, :] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


@dataclass
class _Tally:
    """What is kept of a class: scores and matches of its detections, and the number of its true boxes."""

    scores: list[np.ndarray] = field(default_factory=list)
    matches: list[np.ndarray] = field(default_factory=list)
    num_true: int = 0

    def average_precision(self) -> np.ndarray:
        """Return the mean precision at 101 recalls, one an overlap."""
        order = np.argsort(-np.concatenate(self.scores), kind="stable")
        hits = np.cumsum(np.concatenate(self.matches, axis=1)[:, order], axis=1)
        if not hits.shape[1]:
            return np.zeros(len(hits))
        precision = hits / np.arange(1, hits.shape[1] + 1)
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = hits / self.num_true
        return np.array([_read(recall[row], precision[row]).mean() for row in range(len(hits))])


@keras.saving.register_keras_serializable(package="quartet")
class MeanAveragePrecision(keras.metrics.Metric):
    """Area under the precision-recall curve of each class, averaged over classes and overlaps.

    Only the score of each detection and whether it matches is kept, not the boxes. It works on NumPy arrays,
    so it can't be compiled into a model: update it outside the graph, on any backend. Areas of all sizes
    count; crowds are not marked.

    Args:
        iou_thresholds: Overlaps from which a detection matches; by default 0.5 to 0.95 in steps of 0.05. Give
            `(0.5,)` for AP50.
        max_detections: Detections of a class in a picture beyond this many, by score, are left out.
        name: Of the metric.
        dtype: Of the result.

    Source: Lin et al., Microsoft COCO (2014), with precision read at 101 recalls, as its evaluation code
    does.

    Example:

    >>> metric = MeanAveragePrecision()
    >>> box = {"boxes": [[0, 0, 10, 10]], "classes": [0]}
    >>> metric.update_state([box], [{**box, "scores": [0.9]}])
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        iou_thresholds: Sequence[float] = COCO_THRESHOLDS,
        max_detections: int = 100,
        name: str = "mean_average_precision",
        dtype: str | None = None,
    ) -> None:
        if not len(iou_thresholds) or not all(0 < threshold <= 1 for threshold in iou_thresholds):
            raise ValueError(f"iou_thresholds must lie above 0 and up to 1. Received: {iou_thresholds}.")
        super().__init__(name=name, dtype=dtype)
        self.iou_thresholds = tuple(float(threshold) for threshold in iou_thresholds)
        self.max_detections = max_detections
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all pictures."""
        self._tallies: dict[int, _Tally] = {}

    def update_state(
        self,
        y_true: Sequence[Mapping[str, Any]],
        y_pred: Sequence[Mapping[str, Any]],
        sample_weight: Any = None,
    ) -> None:
        """Count a batch of pictures.

        Args:
            y_true: For each picture `boxes`, `(left, top, right, bottom)` of shape `(num_boxes, 4)`, and
                `classes`, int, shape `(num_boxes,)`. Rows of a negative class are padding.
            y_pred: For each picture the same and `scores`, shape `(num_boxes,)`.
            sample_weight: Pictures with weight 0 are left out.
        """
        kept = np.ones(len(y_true), bool) if sample_weight is None else np.asarray(sample_weight) != 0
        for true, found, keep in zip(y_true, y_pred, kept, strict=True):
            if keep:
                self._count(true, found)

    def _count(self, true: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        true_classes, found_classes = (np.asarray(each["classes"]).reshape(-1) for each in (true, found))
        true_boxes, found_boxes = (np.asarray(each["boxes"], float).reshape(-1, 4) for each in (true, found))
        scores = np.asarray(found["scores"], float).reshape(-1)
        for label in np.unique(np.concatenate([true_classes, found_classes])):
            if label < 0:
                continue
            rows = np.flatnonzero(found_classes == label)
            rows = rows[np.argsort(-scores[rows], kind="stable")][: self.max_detections]
            expected = true_boxes[true_classes == label]
            overlap = intersection_over_union(found_boxes[rows], expected)
            tally = self._tallies.setdefault(int(label), _Tally())
            tally.scores.append(scores[rows])
            tally.matches.append(np.stack([_matched(overlap, t) for t in self.iou_thresholds]))
            tally.num_true += len(expected)

    def per_class(self) -> dict[int, np.ndarray]:
        """Return the average precision of each class that has true boxes, one an overlap."""
        tallies = sorted(self._tallies.items())
        return {label: tally.average_precision() for label, tally in tallies if tally.num_true}

    def result(self) -> float:
        """Return the mean over classes and overlaps, from 0 to 1; 0 where there are no true boxes."""
        precisions = list(self.per_class().values())
        return float(np.mean(precisions)) if precisions else 0.0

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "iou_thresholds": self.iou_thresholds,
            "max_detections": self.max_detections,
        }


def _matched(overlap: np.ndarray, threshold: float) -> np.ndarray:
    """Return which detections, best score first, match a true box that none before them took."""
    free = np.ones(overlap.shape[1], bool)
    matched = np.zeros(overlap.shape[0], bool)
    for row in range(overlap.shape[0]) if overlap.shape[1] else ():
        open_overlap = np.where(free, overlap[row], -1.0)
        # Of equal overlaps the last is taken, as in the COCO code.
        best = len(free) - 1 - int(np.argmax(open_overlap[::-1]))
        if open_overlap[best] >= min(threshold, 1 - 1e-10):
            free[best], matched[row] = False, True
    return matched


def _read(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    places = np.searchsorted(recall, RECALLS, side="left")
    return np.where(places < len(precision), precision[np.minimum(places, len(precision) - 1)], 0.0)

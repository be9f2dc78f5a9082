"""Mean average precision of detectors, the COCO way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).round(2).tolist())
RECALLS = np.linspace(0, 1, 101)
# What a detection is at a threshold; one on a crowd is neither right nor wrong.
FALSE, TRUE, IGNORED = 0, 1, 2


def intersection_over_union(boxes: np.ndarray, others: np.ndarray, crowd: Any = False) -> np.ndarray:
    """Return the overlap of every box with every other.

    Args:
        boxes: `(left, top, right, bottom)` in any unit, shape `(num_boxes, 4)`.
        others: Likewise, shape `(num_others, 4)`.
        crowd: Which of the others are crowds, shape `(num_others,)`: there the intersection is divided by the
            area of the box alone, for a box within a crowd is not too small.

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
    union = area[:, None] + np.where(crowd, 0.0, other_area[None, :] - common)
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


@keras.saving.register_keras_serializable(package="quartet")
class MeanAveragePrecision(keras.metrics.Metric):
    """Area under the precision-recall curve of each class, averaged over classes and overlaps.

    Of each detection its score and a byte for each overlap are kept, not the boxes: 18 bytes with the ten of
    COCO. It works on NumPy arrays, so it can't be compiled into a model: update it outside the graph, on any
    backend. Boxes of all sizes count.

    Args:
        iou_thresholds: Overlaps from which a detection matches; by default 0.5 to 0.95 in steps of 0.05.
        max_detections: Detections of a class in a picture beyond this many, by score, are left out.
        name: Of the metric.
        dtype: As every metric of Keras takes it; the result is a Python float.

    Source: Lin et al., Microsoft COCO (2014), with precision read at 101 recalls, as its evaluation code
    does.

    Example:

    >>> metric = MeanAveragePrecision()
    >>> picture = {"boxes": [[0, 0, 10, 10]], "classes": [0]}
    >>> metric.update_state([picture], [{"boxes": [[0, 0, 10, 8]], "classes": [0], "scores": [0.9]}])
    >>> round(metric.result(), 4), metric.at(0.5)
    (0.7, 1.0)
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
        if max_detections < 1:
            raise ValueError(f"max_detections must be at least 1. Received: {max_detections}.")
        super().__init__(name=name, dtype=dtype)
        self.iou_thresholds = tuple(float(threshold) for threshold in iou_thresholds)
        self.max_detections = max_detections
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all pictures."""
        self._scores: dict[int, list[np.ndarray]] = {}
        self._outcomes: dict[int, list[np.ndarray]] = {}
        self._num_true: dict[int, int] = {}

    def update_state(
        self,
        y_true: Sequence[Mapping[str, Any]],
        y_pred: Sequence[Mapping[str, Any]],
        sample_weight: Any = None,
    ) -> None:
        """Count a batch of pictures.

        Args:
            y_true: For each picture `boxes`, `(left, top, right, bottom)` of shape `(num_boxes, 4)`, and
                `classes`, int, shape `(num_boxes,)`. Rows of a negative class are padding. If given, `crowd`,
                of the same shape, tells the boxes around many objects (COCO's `iscrowd`, VOC's `difficult`):
                what is found there is neither right nor wrong.
            y_pred: For each picture `boxes` and `classes` likewise, and `scores`, shape `(num_boxes,)`.
            sample_weight: Pictures with weight 0 are left out, all others count once.

        Raises:
            ValueError: The parts of a picture differ in length.
        """
        kept = np.ones(len(y_true), bool) if sample_weight is None else np.reshape(sample_weight, -1) != 0
        for true, predicted, keep in zip(y_true, y_pred, kept, strict=True):
            if keep:
                self._count(true, predicted)

    def _count(self, true: Mapping[str, Any], predicted: Mapping[str, Any]) -> None:
        true_boxes, true_classes, crowd = _columns(true, crowd=np.zeros(len(true["boxes"]), bool))
        predicted_boxes, predicted_classes, scores = _columns(predicted, scores=None)
        for label in np.unique(np.concatenate([true_classes, predicted_classes])):
            if label < 0:
                continue
            rows = np.flatnonzero(predicted_classes == label)
            rows = rows[np.argsort(-scores[rows], kind="stable")][: self.max_detections]
            here = true_classes == label
            overlap = intersection_over_union(predicted_boxes[rows], true_boxes[here], crowd[here])
            outcomes = _outcomes(overlap, crowd[here], np.array(self.iou_thresholds))
            self._scores.setdefault(int(label), []).append(scores[rows])
            self._outcomes.setdefault(int(label), []).append(outcomes)
            self._num_true[int(label)] = self._num_true.get(int(label), 0) + int((~crowd[here]).sum())

    def per_class(self) -> dict[int, np.ndarray]:
        """Return the average precision of each class that has true boxes, one an overlap."""
        return {
            label: _average_precision(
                np.concatenate(self._scores[label]), np.concatenate(self._outcomes[label], axis=1), num_true
            )
            for label, num_true in sorted(self._num_true.items())
            if num_true
        }

    def at(self, iou_threshold: float) -> float:
        """Return the mean over classes at one of the overlaps, such as 0.5 for AP50.

        Raises:
            ValueError: It is not one of `iou_thresholds`.
        """
        if iou_threshold not in self.iou_thresholds:
            raise ValueError(f"Only {self.iou_thresholds} were counted. Received: {iou_threshold}.")
        precisions = [
            values[self.iou_thresholds.index(iou_threshold)] for values in self.per_class().values()
        ]
        return float(np.mean(precisions)) if precisions else 0.0

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


def _columns(picture: Mapping[str, Any], **last: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the boxes, the classes and one more column of a picture, which may have a default."""
    ((name, default),) = last.items()
    boxes = np.asarray(picture["boxes"], np.float64).reshape(-1, 4)
    classes = np.asarray(picture["classes"]).reshape(-1)
    column = np.asarray(picture[name] if default is None else picture.get(name, default)).reshape(-1)
    if not len(boxes) == len(classes) == len(column):
        raise ValueError(
            f"A picture must have as many boxes as classes and {name}. "
            f"Received: {len(boxes)} boxes, {len(classes)} classes, {len(column)} {name}."
        )
    return boxes, classes, column.astype(bool) if name == "crowd" else column.astype(np.float64)


def matches(overlap: np.ndarray, thresholds: np.ndarray, ignored: np.ndarray | None = None) -> np.ndarray:
    """Return which true box each detection takes at each threshold.

    Each true box is taken by the first detection that overlaps it more than the other free ones; of equal
    overlaps the last is taken, as in the COCO code.

    Args:
        overlap: Of detections, best score first, with true boxes, shape `(num_detections, num_true)`.
        thresholds: Overlaps from which a detection matches, shape `(num_thresholds,)`.
        ignored: Which true boxes are taken only where no other is left, bool, shape `(num_true,)`.

    Returns:
        Index of the true box, or -1 for none, int, shape `(num_thresholds, num_detections)`.

    Example:

    >>> matches(np.array([[0.6, 0.7], [0.1, 0.9]]), np.array([0.5])).tolist()
    [[1, -1]]
    """
    taken = np.full((len(thresholds), len(overlap)), -1)
    if not overlap.size:
        return taken
    free = np.ones((len(thresholds), overlap.shape[1]), bool)
    enough = np.minimum(thresholds, 1 - 1e-10)
    whole = np.zeros(overlap.shape[1], bool) if ignored is None else ignored
    for row, overlaps in enumerate(overlap):
        for choice in (~whole, whole) if whole.any() else (~whole,):
            open_overlap = np.where(free & choice, overlaps, -1.0)
            best = overlap.shape[1] - 1 - np.argmax(open_overlap[:, ::-1], axis=1)
            matched = np.flatnonzero((open_overlap.max(axis=1) >= enough) & (taken[:, row] < 0))
            free[matched, best[matched]] = False
            taken[matched, row] = best[matched]
    return taken


def _outcomes(overlap: np.ndarray, crowd: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return what each detection is at each threshold, uint8, shape `(num_thresholds, num_detections)`."""
    taken = matches(np.where(crowd, -1.0, overlap), thresholds)
    in_crowd = (
        np.max(overlap, axis=1, where=crowd, initial=-1.0) >= np.minimum(thresholds, 1 - 1e-10)[:, None]
    )
    return np.where(taken >= 0, TRUE, np.where(in_crowd, IGNORED, FALSE)).astype(np.uint8)


def _average_precision(scores: np.ndarray, outcomes: np.ndarray, num_true: int) -> np.ndarray:
    """Return the mean of the precision at 101 recalls, one a threshold."""
    order = np.argsort(-scores, kind="stable")
    return np.array([_mean_precision(row[row != IGNORED] == TRUE, num_true) for row in outcomes[:, order]])


def _mean_precision(matched: np.ndarray, num_true: int) -> float:
    hits = np.cumsum(matched)
    precision = hits / np.arange(1, len(hits) + 1)
    # The best precision at this recall or a higher one, and 0 at recalls that are never reached.
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best[np.searchsorted(hits / num_true, RECALLS, side="left")].mean())

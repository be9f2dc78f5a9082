"""The loss of one-stage detectors that predict boxes from every place of a feature pyramid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from core.losses.labels import LabelLoss

EPSILON = 1e-7


@keras.saving.register_keras_serializable(package="quartet")
class TaskAlignedDetection(LabelLoss):
    """What one-stage detectors without anchors learn by: which places answer for an object is chosen anew.

    Each true object is given to the `top` places that predict it best, both its class and its box, among
    those whose middle lies in it; a place that several objects want takes the one it overlaps most. Classes
    are learnt by cross-entropy towards how well the place does, boxes by the complete IoU and by the
    distribution focal loss of the distances to the four sides.

    Args:
        picture_size: Height and width of the pictures, in pixels.
        strides: Pixels between the places of each level of the pyramid, in the order of the predictions; a
            level has `ceil(side / stride)` places along each side.
        num_bins: Distances to a side that a place tells apart, 0 to `num_bins - 1` strides.
        top: Places that an object is given to, at most.
        class_power: Of the probability of the class, in how well a place predicts an object.
        box_power: Of the overlap, likewise.
        class_weight: Of the cross-entropy.
        box_weight: Of the complete IoU.
        distance_weight: Of the distribution focal loss.
        reduction: As in `keras.losses.Loss`. The loss of a picture is divided by the mean over the batch of
            how much is given to the places, so that a picture with more objects counts more.
        name: Name of the loss.
        dtype: Of the result. The computation is in single precision where this is a half one.

    Call arguments:
        y_true: Shape `(batch_size, num_objects, 5)`: class, left, top, right and bottom in pixels. Rows of a
            negative class are padding.
        y_pred: Shape `(batch_size, num_places, 4 * num_bins + num_classes)`: logits of the distances to the
            left, top, right and bottom side, `num_bins` each, and of the classes; places row by row.

    Raises:
        ValueError: The strides, `num_bins` or `top` make no sense, or `y_pred` has another number of places.

    Reference:
        Feng et al., 2021, TOOD: Task-aligned One-stage Object Detection, https://arxiv.org/abs/2108.07755;
        Li et al., 2020, Generalized Focal Loss, https://arxiv.org/abs/2006.04388; Zheng et al., 2020,
        Distance-IoU Loss, https://arxiv.org/abs/1911.08287

    Example:

    >>> loss = TaskAlignedDetection(picture_size=(16, 16), strides=[8], num_bins=2)
    >>> truth = np.array([[[0, 0.0, 0.0, 8.0, 8.0]]], "float32")  # one object, around the first of 4 places
    >>> unsure = np.zeros((1, 4, 9), "float32")
    >>> sure = np.array([[[0, 0, 0, 0, 0, 0, 0, 0, 9]] + 3 * [[0, 0, 0, 0, 0, 0, 0, 0, -9]]], "float32")
    >>> bool(loss(truth, sure) < loss(truth, unsure))
    True
    """

    def __init__(
        self,
        picture_size: Sequence[int],
        strides: Sequence[int],
        num_bins: int = 16,
        top: int = 10,
        class_power: float = 0.5,
        box_power: float = 6.0,
        class_weight: float = 0.5,
        box_weight: float = 7.5,
        distance_weight: float = 1.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "task_aligned_detection",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)
        if not len(strides) or min(strides) < 1:
            raise ValueError(f"`strides` must be one whole number or more, at least 1. Received: {strides}.")
        if num_bins < 2 or top < 1:
            raise ValueError(
                "`num_bins` must be at least 2 and `top` at least 1. "
                f"Received: num_bins={num_bins}, top={top}."
            )
        self.picture_size = tuple(int(side) for side in picture_size)
        self.strides = tuple(int(stride) for stride in strides)
        self.num_bins, self.top = num_bins, top
        self.class_power, self.box_power = class_power, box_power
        self.class_weight, self.box_weight = class_weight, box_weight
        self.distance_weight = distance_weight
        middles, stride = _places(self.picture_size, self.strides)
        # The dtype is that of the computation: half precision holds no pixels beyond a few hundred.
        self._middles, self._stride = middles.astype(self.dtype), stride.astype(self.dtype)
        self._bins = np.arange(num_bins, dtype=self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each picture, shape `(batch_size,)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if y_pred.shape[1] != len(self._middles):
            raise ValueError(
                f"Pictures of {self.picture_size} with strides {self.strides} have {len(self._middles)} "
                f"places. Received: y_pred of shape {tuple(y_pred.shape)}."
            )
        classes, boxes = y_true[..., 0], y_true[..., 1:]
        logits = y_pred[..., 4 * self.num_bins :]
        bins = ops.reshape(y_pred[..., : 4 * self.num_bins], (-1, len(self._middles), 4, self.num_bins))
        predicted = self._boxes(bins)
        one_hot = ops.one_hot(ops.cast(classes, "int32"), logits.shape[-1], dtype=logits.dtype)
        given, worth = self._given(
            classes >= 0,
            boxes,
            ops.stop_gradient(predicted),
            ops.matmul(one_hot, ops.transpose(ops.stop_gradient(ops.sigmoid(logits)), (0, 2, 1))),
        )
        to_places = ops.transpose(given, (0, 2, 1))
        wanted_boxes = ops.matmul(to_places, boxes)
        wanted_scores = ops.matmul(to_places, one_hot) * worth[..., None]
        of_classes = ops.sum(
            ops.maximum(logits, 0) - logits * wanted_scores + ops.log1p(ops.exp(-ops.abs(logits))), (1, 2)
        )
        of_boxes = ops.sum(worth * (1.0 - complete_iou(wanted_boxes, predicted)), axis=1)
        of_distances = ops.sum(worth * self._distribution_focal(bins, wanted_boxes), axis=1)
        total = (
            self.class_weight * of_classes + self.box_weight * of_boxes + self.distance_weight * of_distances
        )
        return total / ops.maximum(ops.mean(ops.sum(worth, axis=1)), 1.0)

    def _boxes(self, bins: Any) -> Any:
        """Return the boxes that places predict, in pixels, shape `(batch_size, num_places, 4)`."""
        distances = ops.sum(ops.softmax(bins) * self._bins, axis=-1) * self._stride[:, None]
        return ops.concatenate(
            [self._middles - distances[..., :2], self._middles + distances[..., 2:]], axis=-1
        )

    def _given(self, real: Any, boxes: Any, predicted: Any, probability: Any) -> tuple[Any, Any]:
        """Return which object each place is given to, and how much that counts.

        Args:
            real: Which objects are no padding, shape `(batch_size, num_objects)`.
            boxes: Of the objects, shape `(batch_size, num_objects, 4)`.
            predicted: Boxes of the places, shape `(batch_size, num_places, 4)`.
            probability: Of the class of each object at each place, `(batch_size, num_objects, num_places)`.

        Returns:
            0 or 1, shape `(batch_size, num_objects, num_places)`; from 0 to 1, `(batch_size, num_places)`.
        """
        overlap = overlap_of(boxes[:, :, None], predicted[:, None])
        middle, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]) / 2
        # An object between the places of a level is given to the nearest of them.
        reach = ops.maximum(half[:, :, None], self._stride[:, None] / 2)
        inside = ops.all(ops.abs(self._middles - middle[:, :, None]) < reach, axis=-1)
        possible = ops.logical_and(inside, real[..., None])
        aligned = ops.where(
            possible, _power(probability, self.class_power) * _power(overlap, self.box_power), 0.0
        )
        least = ops.top_k(aligned, min(self.top, len(self._middles)))[0][..., -1:]
        chosen = ops.logical_and(aligned >= least, aligned > 0)
        rank = ops.where(chosen, overlap, -1.0)
        best = ops.one_hot(ops.argmax(rank, axis=1), rank.shape[1] or ops.shape(rank)[1], axis=1)
        given = ops.cast(best, aligned.dtype) * ops.cast(chosen, aligned.dtype)
        own = given * aligned
        most, widest = ops.max(own, axis=-1, keepdims=True), ops.max(given * overlap, axis=-1, keepdims=True)
        worth = ops.sum(own / ops.maximum(most, 1e-30) * widest, axis=1)
        return ops.stop_gradient(given), ops.stop_gradient(worth)

    def _distribution_focal(self, bins: Any, boxes: Any) -> Any:
        """Return the cross-entropy towards the two bins around each distance, `(batch_size, num_places)`."""
        sides = ops.concatenate([self._middles - boxes[..., :2], boxes[..., 2:] - self._middles], axis=-1)
        wanted = ops.clip(sides / self._stride[:, None], 0.0, self.num_bins - 1.0)
        # A distance of 2.3 is 0.7 of bin 2 and 0.3 of bin 3.
        shares = ops.maximum(1.0 - ops.abs(wanted[..., None] - self._bins), 0.0)
        return -ops.mean(ops.sum(shares * ops.log_softmax(bins), axis=-1), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        names = (
            *("picture_size", "strides", "num_bins", "top", "class_power", "box_power"),
            *("class_weight", "box_weight", "distance_weight"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def complete_iou(boxes: Any, others: Any) -> Any:
    """Return the complete intersection over union of boxes, -1.5 to 1 (Zheng et al., 2020).

    The overlap less how far the middles are apart, as a share of the diagonal of the box around both, and
    less how much the ratios of their sides differ.

    Args:
        boxes: `(left, top, right, bottom)`, shape `(..., 4)`.
        others: Likewise; both take gradients.

    Returns:
        Shape `(...)`.
    """
    overlap = overlap_of(boxes, others)
    middles = (boxes[..., :2] + boxes[..., 2:] - others[..., :2] - others[..., 2:]) / 2
    around = ops.maximum(boxes[..., 2:], others[..., 2:]) - ops.minimum(boxes[..., :2], others[..., :2])
    apart = ops.sum(middles**2, axis=-1) / (ops.sum(around**2, axis=-1) + EPSILON)
    slopes = [
        ops.arctan((each[..., 2] - each[..., 0]) / (ops.maximum(each[..., 3] - each[..., 1], 0.0) + EPSILON))
        for each in (boxes, others)
    ]
    ratios = 4 / math.pi**2 * (slopes[0] - slopes[1]) ** 2
    weight = ops.stop_gradient(ratios / (1.0 - overlap + ratios + EPSILON))
    return overlap - apart - weight * ratios


def overlap_of(boxes: Any, others: Any) -> Any:
    """Return the intersection over union of boxes of shapes that broadcast."""
    low, high = ops.maximum(boxes[..., :2], others[..., :2]), ops.minimum(boxes[..., 2:], others[..., 2:])
    shared = ops.maximum(high - low, 0.0)
    common = shared[..., 0] * shared[..., 1]
    return common / (_area(boxes) + _area(others) - common + EPSILON)


def _power(values: Any, power: float) -> Any:
    """Return values of at least 0 to a power, without logarithms for the usual ones: there are many."""
    if power == 0.5:
        return ops.sqrt(values)
    return ops.square(values * values * values) if power == 6 else values**power


def _area(boxes: Any) -> Any:
    sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


def _places(picture_size: Sequence[int], strides: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles `(x, y)` of all places, `(num_places, 2)`, and their strides, `(num_places,)`."""
    middles, steps = [], []
    for stride in strides:
        rows, columns = (math.ceil(side / stride) for side in picture_size)
        y, x = np.mgrid[:rows, :columns]
        middles.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        steps.append(np.full(rows * columns, stride))
    return np.concatenate(middles).astype("float32"), np.concatenate(steps).astype("float32")

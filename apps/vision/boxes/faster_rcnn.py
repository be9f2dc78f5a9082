"""A detector of two stages: where something is, and then what it is and where exactly (Faster R-CNN)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import initializers, layers, ops

from apps.vision.boxes.answers import STRIDES
from apps.vision.boxes.yolo import PRIOR, backbone, convolution, pyramid
from core.layers import RoIAlign
from core.losses.task_aligned import complete_iou, overlap_of

SIDES, RATIOS = 4, (0.5, 1.0, 2.0)  # of the anchors: strides along a side, height to width
CANDIDATES = 300  # of a picture that are suppressed
SUPPRESSED_FROM = 0.7  # overlap with a surer proposal
GRID = 7  # points along each side of what the second stage sees of a proposal
MOST_CHANGE = 4.0  # logarithm of the largest change of a side, which else would overflow
IS_OBJECT, IS_GROUND, IS_OF_CLASS = 0.6, 0.4, 0.5  # overlaps of anchors, of anchors, of proposals
FOCUS, OBJECTS_SHARE = 2.0, 0.25  # of the focal loss of anchors
BOX_WEIGHT = 2.0  # of the boxes of both stages


def faster_rcnn(
    pictures: Any, normalised: Any, num_labels: int, width: int, depth: int, num_proposals: int
) -> TwoStages:
    """Return the model from pictures to proposals, and to the classes and the boxes that they turn out to be.

    After Ren et al., Faster R-CNN (2015), on a feature pyramid (Lin et al., 2017).

    Args:
        pictures: The input.
        normalised: The same, symbolic, shape `(batch_size, height, width, channels)`, sides multiples of 32.
        num_labels: Classes.
        width: Channels at half of the resolution.
        depth: Residual blocks of each partial block.
        num_proposals: That the second stage looks at, of each picture.
    """
    levels = pyramid(backbone(normalised, width, depth), 4 * width, depth)
    objects, moves = [], []
    for level, stride in zip(levels, STRIDES, strict=True):
        seen = convolution(level, level.shape[-1])
        is_object = layers.Conv2D(
            len(RATIOS),
            1,
            bias_initializer=initializers.Constant(math.log(PRIOR / (1 - PRIOR))),
            name=f"objects_{stride}",
        )(seen)
        objects.append(layers.Reshape((-1,))(is_object))
        moves.append(layers.Reshape((-1, 4))(layers.Conv2D(4 * len(RATIOS), 1, name=f"moves_{stride}")(seen)))
    objects = layers.Concatenate(axis=1, dtype="float32", name="objects")(objects)
    moves = layers.Concatenate(axis=1, dtype="float32")(moves)
    boxes = Moved(pictures.shape[1:3], name="anchors")(moves)
    proposals = Proposals(num_proposals, pictures.shape[1:3], name="proposals")(objects, boxes)
    seen = RoIAlign(GRID, STRIDES)(levels, proposals)
    seen = layers.Reshape((num_proposals, GRID * GRID * seen.shape[-1]))(seen)
    for _ in range(2):
        seen = layers.Dense(8 * width, "relu")(seen)
    classes = layers.Dense(num_labels + 1, dtype="float32", name="classes")(seen)
    changes = layers.Dense(4, kernel_initializer="zeros", dtype="float32", name="changes")(seen)
    refined = Moved(None, name="refined")(changes, proposals)
    outputs = {"objects": objects, "anchored": boxes, "proposals": proposals, "classes": classes}
    return TwoStages(pictures, {**outputs, "boxes": refined}, name="detection")


def anchors_of(shape: tuple[int, int]) -> np.ndarray:
    """Return the anchors of all levels, place by place, float32, `(num_anchors, 4)`, in pixels.

    Args:
        shape: Height and width of the pictures.

    Example:

    >>> anchors_of((32, 32))[1].tolist()
    [-12.0, -12.0, 20.0, 20.0]
    """
    every = []
    for stride in STRIDES:
        rows, columns = (math.ceil(side / stride) for side in shape)
        y, x = (np.mgrid[:rows, :columns] + 0.5) * stride
        ratio = np.sqrt(np.array(RATIOS))
        half = SIDES * stride / 2 * np.stack([1 / ratio, ratio], axis=-1)
        middle = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
        every.append(np.concatenate([middle - half, middle + half], axis=-1).reshape(-1, 4))
    return np.concatenate(every).astype("float32")


@keras.saving.register_keras_serializable(package="quartet")
class Moved(keras.layers.Layer):
    """Boxes moved by shares of their sides and stretched by exponents, as R-CNN has them since 2014.

    Args:
        shape: Height and width of the pictures whose anchors are moved; nothing where boxes are given with
            each call.
    """

    def __init__(self, shape: Sequence[int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.anchors = None if shape is None else anchors_of((shape[0], shape[1]))

    def call(self, changes: Any, boxes: Any = None) -> Any:
        """Return the boxes, shape `(batch_size, num_boxes, 4)`."""
        start: Any = self.anchors if boxes is None else ops.stop_gradient(boxes)
        sides = start[..., 2:] - start[..., :2]
        middle = start[..., :2] + sides / 2 + changes[..., :2] * sides
        half = sides * ops.exp(ops.clip(changes[..., 2:], -MOST_CHANGE, MOST_CHANGE)) / 2
        return ops.concatenate([middle - half, middle + half], axis=-1)

    def compute_output_shape(self, changes_shape: Any, boxes_shape: Any = None) -> Any:
        """Return the shape of the boxes."""
        return changes_shape


@keras.saving.register_keras_serializable(package="quartet")
class Proposals(keras.layers.Layer):
    """The surest boxes, without those that overlap a surer one.

    Suppression is that of Bolya et al., YOLACT (2019), in one step, which every format of export can hold: a
    box is left out also for one that is left out itself.

    Args:
        count: How many are returned; where fewer are left, suppressed ones fill up.
        shape: Height and width of the pictures, which boxes are cut off at.
    """

    def __init__(self, count: int, shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count, self.shape_of_pictures = count, tuple(shape)

    def call(self, objects: Any, boxes: Any) -> Any:
        """Return the proposals, shape `(batch_size, count, 4)`, without gradient."""
        objects, boxes = ops.stop_gradient(objects), ops.stop_gradient(boxes)
        height, width = self.shape_of_pictures
        boxes = ops.clip(boxes, 0.0, np.array([width, height, width, height], "float32"))
        scores, rows = ops.top_k(objects, min(CANDIDATES, objects.shape[1]))
        boxes = _rows(boxes, rows)
        overlap = overlap_of(boxes[:, :, None], boxes[:, None])
        surer = np.triu(np.ones((boxes.shape[1],) * 2, "float32"), 1)
        kept = ops.max(overlap * surer, axis=1) <= SUPPRESSED_FROM
        # Logits that are suppressed come after all others, and keep their order.
        _, rows = ops.top_k(ops.where(kept, scores, scores - 1e4), min(self.count, boxes.shape[1]))
        return _rows(boxes, rows)

    def compute_output_shape(self, objects_shape: Any, boxes_shape: Any) -> Any:
        """Return the shape of the proposals."""
        return (boxes_shape[0], min(self.count, boxes_shape[1]), 4)


def _rows(boxes: Any, rows: Any) -> Any:
    """Return rows of the boxes of each picture."""
    first = ops.arange(ops.shape(boxes)[0], dtype="int32")[:, None] * boxes.shape[1]
    return ops.take(ops.reshape(boxes, (-1, 4)), first + ops.cast(rows, "int32"), axis=0)


@keras.saving.register_keras_serializable(package="quartet")
class TwoStages(keras.Model):
    """The model, whose loss compares both stages with the true objects."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of anchors and of proposals."""
        first = loss_of_anchors(y, y_pred, anchors_of(tuple(self.input_shape[1:3])))
        return first + loss_of_proposals(y, y_pred)


def loss_of_anchors(y: Any, predicted: Mapping[str, Any], anchors: np.ndarray) -> Any:
    """Return the focal loss of which anchors are objects, and that of the boxes that they become.

    Args:
        y: Class, left, top, right, bottom; rows of class -1 are padding; `(batch_size, num_objects, 5)`.
        predicted: What the model returns.
        anchors: `(num_anchors, 4)`.
    """
    overlap = _overlap_with(y, ops.convert_to_tensor(anchors)[None])
    best, nearest = ops.max(overlap, axis=1), ops.argmax(overlap, axis=1)
    # Whatever fits an object best is its anchor, however badly it does.
    own = ops.max(overlap, axis=2, keepdims=True)
    is_best = ops.any(ops.logical_and(overlap >= own - 1e-6, overlap > 0.1), axis=1)
    is_object = ops.cast(ops.logical_or(best >= IS_OBJECT, is_best), "float32")
    counted = ops.maximum(is_object, ops.cast(best < IS_GROUND, "float32"))
    logits, count = predicted["objects"], ops.maximum(ops.sum(is_object), 1.0)
    wrong = ops.binary_crossentropy(is_object, logits, from_logits=True)
    away = ops.abs(is_object - ops.sigmoid(logits)) ** FOCUS
    share = is_object * OBJECTS_SHARE + (1 - is_object) * (1 - OBJECTS_SHARE)
    of_objects = 4 * ops.sum(counted * share * away * wrong) / count
    return of_objects + _loss_of_boxes(y, nearest, is_object, predicted["anchored"])


def loss_of_proposals(y: Any, predicted: Mapping[str, Any]) -> Any:
    """Return the cross-entropy of what proposals are of, and the loss of the boxes that they become."""
    overlap = _overlap_with(y, predicted["proposals"])
    best, nearest = ops.max(overlap, axis=1), ops.argmax(overlap, axis=1)
    is_object = ops.cast(best >= IS_OF_CLASS, "float32")
    logits = predicted["classes"]
    given = ops.one_hot(nearest, y.shape[1] or ops.shape(y)[1])
    classes = ops.einsum("bpm,bm->bp", given, y[..., 0])
    ground = logits.shape[-1] - 1
    wanted = ops.cast(ops.where(is_object > 0, classes, float(ground)), "int32")
    wrong = ops.sparse_categorical_crossentropy(wanted, logits, from_logits=True)
    return ops.mean(wrong) * 2 + _loss_of_boxes(y, nearest, is_object, predicted["boxes"])


def _overlap_with(y: Any, boxes: Any) -> Any:
    """Return the overlap of objects with boxes, -1 of padding, `(batch_size, num_objects, num_boxes)`."""
    overlap = overlap_of(y[:, :, None, 1:], boxes[:, None])
    return ops.stop_gradient(ops.where(y[..., :1] >= 0, overlap, -1.0))


def _loss_of_boxes(y: Any, nearest: Any, is_object: Any, boxes: Any) -> Any:
    given = ops.one_hot(nearest, y.shape[1] or ops.shape(y)[1])
    wanted = ops.matmul(given, y[..., 1:])
    wrong = is_object * (1.0 - complete_iou(wanted, boxes))
    return BOX_WEIGHT * ops.sum(wrong) / ops.maximum(ops.sum(is_object), 1.0)

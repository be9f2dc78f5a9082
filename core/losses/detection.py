"""Losses for boxes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

BOX_FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")


@keras.saving.register_keras_serializable(package="quartet")
class GeneralizedIoU(keras.losses.Loss):
    """One minus the generalised intersection over union of a box and its prediction, in [0, 2].

    `1 - IoU + (C - U) / C`, where `U` is the area of the union and `C` that of the smallest box around both.
    Unlike `1 - IoU` it has a gradient where the boxes do not touch, and unlike a distance between
    coordinates it does not grow with the boxes.

    Corners that arrive in the wrong order are swapped, as in line 1 of the paper's algorithm 2, and a
    negative width or height counts as its absolute value, so an early prediction can find its way back.
    A box without area has an IoU of 0 with everything, itself included.
    `keras.utils.bounding_boxes.compute_ciou` is the complete IoU, which does neither.

    Args:
        box_format: What the 4 numbers of a box are, in pixels or as fractions of the picture:
            `"xyxy"` left, top, right, bottom; `"yxyx"` top, left, bottom, right; `"xywh"` left, top, width,
            height; `"center_xywh"` centre x, centre y, width, height; `"center_yxhw"` centre y, centre x,
            height, width.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, whatever that of the model.

    Call arguments:
        y_true: Boxes of shape `(..., 4)`.
        y_pred: Boxes of shape `(..., 4)`, the prediction for each. Padding boxes are left out by a
            `sample_weight` of shape `(...)`.

    Raises:
        ValueError: `box_format` is unknown, or the last dimension is not 4.

    Reference:
        Rezatofighi et al., 2019, Generalized Intersection over Union, https://arxiv.org/abs/1902.09630

    Example:

    >>> loss = GeneralizedIoU()
    >>> round(float(loss([[0.0, 0.0, 1.0, 1.0]], [[1.0, 0.0, 3.0, 1.0]])), 4)  # they touch: IoU 0, C = U
    1.0
    """

    def __init__(
        self,
        box_format: str = "xyxy",
        reduction: str | None = "sum_over_batch_size",
        name: str = "generalized_iou",
        dtype: str = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if box_format not in BOX_FORMATS:
            raise ValueError(
                f"`box_format` must be one of {BOX_FORMATS}. Received: box_format={box_format!r}"
            )
        self.box_format = box_format

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each box, of shape `(...)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        true_low, true_high = self._corners(y_true)
        pred_low, pred_high = self._corners(y_pred)
        shared = ops.maximum(ops.minimum(true_high, pred_high) - ops.maximum(true_low, pred_low), 0.0)
        intersection = self._area(shared)
        union = self._area(true_high - true_low) + self._area(pred_high - pred_low) - intersection
        around = self._area(ops.maximum(true_high, pred_high) - ops.minimum(true_low, pred_low))
        iou = ops.divide_no_nan(intersection, union)
        return 1.0 - iou + ops.divide_no_nan(around - union, around)

    def _area(self, sides: Any) -> Any:
        return sides[..., 0] * sides[..., 1]

    def _corners(self, boxes: Any) -> tuple[Any, Any]:
        """Return the low and the high corner of each box, both of shape `(..., 2)`."""
        if boxes.shape[-1] != 4:
            raise ValueError(f"Boxes must have shape (..., 4). Received: shape={boxes.shape}")
        first, second = boxes[..., :2], boxes[..., 2:]
        if self.box_format == "xywh":
            second = first + second
        elif self.box_format.startswith("center"):
            first, second = first - second / 2.0, first + second / 2.0
        return ops.minimum(first, second), ops.maximum(first, second)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {**super().get_config(), "dtype": self.dtype, "box_format": self.box_format}

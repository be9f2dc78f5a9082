"""What a feature pyramid holds within boxes, each in one small grid whatever its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class RoIAlign(keras.layers.Layer):
    """Reads maps at a grid of points within each box, between their places, from the level that suits it.

    A box is read from the level whose stride is nearest to a cell of its grid, at the middle of each cell, by
    bilinear interpolation. Gradients reach the maps, and not the boxes.

    Args:
        size: Points along each side of the grid.
        strides: Pixels between the places of each level.
        **kwargs: Of `keras.layers.Layer`.

    Call arguments:
        maps: A level each, shape `(batch_size, height, width, channels)`, of known height and width.
        boxes: `(left, top, right, bottom)` in pixels, shape `(batch_size, num_boxes, 4)`.

    Output shape:
        `(batch_size, num_boxes, size, size, channels)`.

    Reference:
        He et al., Mask R-CNN (2017), https://arxiv.org/abs/1703.06870; the level as in Lin et al., Feature
        Pyramid Networks (2017), https://arxiv.org/abs/1612.03144

    Example:

    >>> level = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)  # with a stride of 8: of 32 x 32 pixels
    >>> seen = RoIAlign(size=2, strides=[8])([level], np.array([[[0.0, 0.0, 16.0, 16.0]]]))
    >>> ops.convert_to_numpy(seen)[0, 0, :, :, 0].tolist()
    [[0.0, 1.0], [4.0, 5.0]]
    """

    def __init__(self, size: int, strides: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if size < 1 or not len(strides) or min(strides) < 1:
            raise ValueError(
                f"`size` and all `strides` must be at least 1. Received: size={size}, strides={strides}."
            )
        self.size = size
        self.strides = tuple(int(stride) for stride in strides)

    def call(self, maps: Sequence[Any], boxes: Any) -> Any:
        """Return the grids of all boxes."""
        channels = maps[0].shape[-1]
        shapes = np.array([level.shape[1:3] for level in maps], np.int32)
        flat = ops.concatenate(
            [
                ops.reshape(level, (-1, h * w, channels))
                for level, (h, w) in zip(maps, shapes.tolist(), strict=True)
            ],
            axis=1,
        )
        boxes = ops.stop_gradient(ops.cast(boxes, "float32"))
        level = self._level(boxes)
        starts = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))[:-1]]).astype("int32")
        rows, columns, start = (ops.take(each, level) for each in (shapes[:, 0], shapes[:, 1], starts))
        stride = ops.take(np.array(self.strides, "float32"), level)
        low_y, high_y, down = self._along(boxes[..., 1], boxes[..., 3], stride, rows)
        low_x, high_x, across = self._along(boxes[..., 0], boxes[..., 2], stride, columns)
        # Of all pictures of the batch one after another, which every format of export can gather from.
        picture = ops.arange(ops.shape(flat)[0], dtype="int32")[:, None] * flat.shape[1]
        first = (picture + start)[..., None, None]
        every = ops.reshape(flat, (-1, channels))

        def at(y: Any, x: Any) -> Any:
            return ops.take(
                every, first + y[..., :, None] * columns[..., None, None] + x[..., None, :], axis=0
            )

        down = ops.cast(down[..., :, None, None], flat.dtype)
        across = ops.cast(across[..., None, :, None], flat.dtype)
        upper = at(low_y, low_x) * (1 - across) + at(low_y, high_x) * across
        lower = at(high_y, low_x) * (1 - across) + at(high_y, high_x) * across
        return upper * (1 - down) + lower * down

    def _level(self, boxes: Any) -> Any:
        """Return the level that each box is read from, int32, shape `(batch_size, num_boxes)`."""
        sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], 1.0)
        cell = ops.sqrt(sides[..., 0] * sides[..., 1]) / self.size
        # The edges between the levels lie in the middle of their strides, on a scale of octaves.
        edges = np.sqrt(np.array(self.strides[:-1], "float32") * np.array(self.strides[1:], "float32"))
        return ops.sum(ops.cast(cell[..., None] > edges, "int32"), axis=-1)

    def _along(self, low: Any, high: Any, stride: Any, count: Any) -> tuple[Any, Any, Any]:
        """Return the places before and after each point along an axis, and how far it is past the former."""
        shares = (np.arange(self.size, dtype="float32") + 0.5) / self.size
        points = (low[..., None] + (high - low)[..., None] * shares) / stride[..., None] - 0.5
        last = count[..., None] - 1
        points = ops.clip(points, 0.0, ops.cast(last, "float32"))
        before = ops.cast(ops.floor(points), "int32")
        return before, ops.minimum(before + 1, last), points - ops.cast(before, "float32")

    def compute_output_shape(self, maps_shape: Sequence[Any], boxes_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the grids."""
        return (*boxes_shape[:2], self.size, self.size, maps_shape[0][-1])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "size": self.size, "strides": self.strides}

"""Pictures of any size in one shape, their sides kept in proportion, and boxes there and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GREY = 114  # of what is no picture
Size = tuple[int, int]


class Letterbox(NamedTuple):
    """How a picture lies in a larger or smaller shape: scaled evenly, in the middle.

    Args:
        inner: Height and width of the scaled picture.
        top: Rows above it.
        left: Columns before it.
        size: Height and width of the picture itself.

    Example:

    >>> fitted = Letterbox.of((100, 200), (64, 64))
    >>> fitted.inner, fitted.top, fitted.left
    ((32, 64), 16, 0)
    >>> fitted.boxes_in(np.array([[0.0, 0.0, 200.0, 100.0]])).tolist()
    [[0.0, 16.0, 64.0, 48.0]]
    """

    inner: Size
    top: int
    left: int
    size: Size

    @classmethod
    def of(cls, size: Size, shape: Size) -> Letterbox:
        """Return how a picture of a size lies in a shape, each height and width."""
        scale = min(shape[0] / size[0], shape[1] / size[1])
        height, width = (
            min(max(round(side * scale), 1), most) for side, most in zip(size, shape, strict=True)
        )
        return cls((height, width), (shape[0] - height) // 2, (shape[1] - width) // 2, size)

    @property
    def _scale(self) -> np.ndarray:
        return np.array([self.inner[1] / self.size[1], self.inner[0] / self.size[0]] * 2)

    def boxes_in(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes of the picture in the shape, `(left, top, right, bottom)`, `(num_boxes, 4)`."""
        return boxes * self._scale + np.array([self.left, self.top] * 2)

    def boxes_out(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes of the shape in the picture, cut off at its borders."""
        height, width = self.size
        own = (boxes - np.array([self.left, self.top] * 2)) / self._scale
        return np.clip(own, 0.0, np.array([width, height, width, height], np.float64))


def letterboxed(picture: np.ndarray, shape: Size) -> np.ndarray:
    """Return a picture in a shape, grey around it.

    Args:
        picture: uint8, shape `(height, width, channels)`.
        shape: Height and width.

    Returns:
        uint8, shape `(*shape, channels)`.
    """
    from PIL import Image

    height, width, channels = picture.shape
    fitted = Letterbox.of((height, width), shape)
    if fitted.inner != (height, width):
        image = Image.fromarray(picture[..., 0] if channels == 1 else picture)
        image = image.resize(fitted.inner[::-1], Image.Resampling.BILINEAR, reducing_gap=2.0)
        picture = np.asarray(image).reshape(*fitted.inner, channels)
    if fitted.inner == shape:
        return picture
    canvas = np.full((*shape, channels), GREY, np.uint8)
    height, width = fitted.inner
    canvas[fitted.top : fitted.top + height, fitted.left : fitted.left + width] = picture
    return canvas

"""Likeness of pictures, measured on luma as in the literature on super-resolution."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import keras
import numpy as np
from keras import ops

from core.metrics.accumulators import CompensatedMean

# ITU-R BT.601 for RGB in [0, 1]: luma from 16 to 235, as MATLAB's rgb2ycbcr gives it.
LUMA = np.array([65.481, 128.553, 24.966], np.float32)
LUMA_OFFSET = 16.0
WINDOW = 11
DEVIATION = 1.5


def luma(images: Any, max_value: float = 255.0) -> Any:
    """Return the BT.601 luma of colour pictures, and grey pictures as they are, on a scale to 255.

    Args:
        images: Shape `(batch_size, height, width, channels)`, 1 or 3 channels, from 0 to `max_value`.
        max_value: White.

    Returns:
        float32, shape `(batch_size, height, width)`.

    Raises:
        ValueError: There are neither 1 nor 3 channels.

    Example:

    >>> float(luma(np.ones((1, 1, 1, 3), "float32"), max_value=1.0)[0, 0, 0])
    235.0
    """
    images = ops.convert_to_tensor(images)
    if len(images.shape) != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "Pictures must have the shape (batch_size, height, width, channels) with 1 or 3 channels. "
            f"Received: shape {tuple(images.shape)}."
        )
    images = ops.cast(images, "float32") / max_value
    if images.shape[-1] == 1:
        return images[..., 0] * 255.0
    return ops.sum(images * LUMA, axis=-1) + LUMA_OFFSET


class _MeanOverImages(keras.metrics.Metric, ABC):
    """Averages a value over pictures; each picture weighs the same, whatever its size."""

    def __init__(self, border: int, max_value: float, name: str, dtype: str | None) -> None:
        if border < 0 or max_value <= 0:
            raise ValueError(
                "border must be at least 0 and max_value above 0. "
                f"Received: border={border}, max_value={max_value}."
            )
        super().__init__(name=name, dtype=dtype)
        self.border = border
        self.max_value = max_value
        self.mean = CompensatedMean(dtype="float32")

    @abstractmethod
    def _value(self, y_true: Any, y_pred: Any) -> Any:
        """Return the value of each pair of lumas, shape `(batch_size,)`."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch of pairs of pictures.

        Args:
            y_true: Shape `(batch_size, height, width, channels)`, 1 or 3 channels, from 0 to `max_value`.
            y_pred: Of the same shape.
            sample_weight: Of each picture, shape `(batch_size,)`.

        Raises:
            ValueError: There are neither 1 nor 3 channels, or the two differ in shape.
        """
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        pairs = zip(y_true.shape[1:], y_pred.shape[1:], strict=True)
        if any(true != pred for true, pred in pairs if true is not None and pred is not None):
            raise ValueError(
                "Pictures to be compared must have one shape. "
                f"Received: {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        inside = slice(self.border, -self.border or None)
        true, pred = (luma(images, self.max_value)[:, inside, inside] for images in (y_true, y_pred))
        self.mean.update_state(self._value(true, pred), sample_weight)

    def result(self) -> Any:
        """Return the mean over all pictures that were counted, a scalar."""
        return ops.cast(self.mean.result(), self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "border": self.border, "max_value": self.max_value}


@keras.saving.register_keras_serializable(package="quartet")
class PSNR(_MeanOverImages):
    """Peak signal-to-noise ratio on luma, in decibels: the mean over pictures.

    `keras.ops.psnr` measures all channels of a whole batch at once; published figures are these.

    Args:
        border: Pixels cut off at each edge first, commonly the scale of a super-resolution.
        max_value: White.
        limit: What a pair of equal pictures counts as, in decibels; no pair counts more.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: `10 log10(255^2 / MSE)`; the protocol is that of Dong et al., Image Super-Resolution Using Deep
    Convolutional Networks (2014), section 4.

    Example:

    >>> metric = PSNR()
    >>> metric.update_state(np.zeros((1, 4, 4, 1)), np.full((1, 4, 4, 1), 25.5))
    >>> round(float(metric.result()), 2)
    20.0
    """

    def __init__(
        self,
        border: int = 0,
        max_value: float = 255.0,
        limit: float = 100.0,
        name: str = "psnr",
        dtype: str | None = None,
    ) -> None:
        super().__init__(border, max_value, name, dtype)
        self.limit = limit

    def _value(self, y_true: Any, y_pred: Any) -> Any:
        error = ops.mean(ops.square(y_true - y_pred), axis=(1, 2))
        least = 255.0**2 / 10 ** (self.limit / 10)
        return 10.0 * ops.log10(255.0**2 / ops.maximum(error, least))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "limit": self.limit}


@keras.saving.register_keras_serializable(package="quartet")
class SSIM(_MeanOverImages):
    """Structural similarity on luma: the mean over pictures.

    Args:
        border: Pixels cut off at each edge first; what is left must be 11 x 11 or more.
        max_value: White.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Wang et al., Image Quality Assessment (2004), equation 13, with a Gaussian window of 11 x 11 and
    deviation 1.5, over the places where the window lies within the picture.

    Example:

    >>> metric = SSIM()
    >>> picture = np.arange(256.0).reshape(1, 16, 16, 1)
    >>> metric.update_state(picture, picture)
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self, border: int = 0, max_value: float = 255.0, name: str = "ssim", dtype: str | None = None
    ) -> None:
        super().__init__(border, max_value, name, dtype)

    def _value(self, y_true: Any, y_pred: Any) -> Any:
        if any(size is not None and size < WINDOW for size in y_true.shape[1:]):
            raise ValueError(
                f"Pictures without their border must be {WINDOW} x {WINDOW} or more. "
                f"Received: shape {tuple(y_true.shape)} without border={self.border}."
            )
        mean_true, mean_pred = _smoothed(y_true), _smoothed(y_pred)
        variance_true = _smoothed(y_true * y_true) - mean_true**2
        variance_pred = _smoothed(y_pred * y_pred) - mean_pred**2
        covariance = _smoothed(y_true * y_pred) - mean_true * mean_pred
        low, high = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2
        likeness = (2 * mean_true * mean_pred + low) * (2 * covariance + high)
        scale = (mean_true**2 + mean_pred**2 + low) * (variance_true + variance_pred + high)
        return ops.mean(likeness / scale, axis=(1, 2))


def _smoothed(images: Any) -> Any:
    """Return Gaussian means, shape `(batch_size, height - 10, width - 10)`.

    Shifted pictures are added: in a convolution a GPU may round to ten bits (TF32), which the differences of
    squares in a variance don't survive.
    """
    weights = np.exp(-((np.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * DEVIATION**2))
    weights = (weights / weights.sum()).tolist()
    height, width = (ops.shape(images)[axis] - WINDOW + 1 for axis in (1, 2))
    images = sum(weight * images[:, row : row + height] for row, weight in enumerate(weights))
    return sum(weight * images[:, :, column : column + width] for column, weight in enumerate(weights))

"""Convolutional nets that restore pictures, whatever their height and width."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import initializers, layers, ops

from apps.vision.any_size.bicubic import resized
from core.layers import FusedBatchNormalization

REACH = 2  # of bicubic interpolation, in pixels
STATISTICS_MOMENTUM = 0.9


def fsrcnn(planes: Any, channels: int, width: int, depth: int) -> Any:
    """Return features by wide convolutions around a narrow middle, which is fast.

    After Dong et al., Accelerating the Super-Resolution Convolutional Neural Network (2016), section 3; what
    enlarges at the end is sub-pixel in place of a transposed convolution.

    Args:
        planes: Symbolic, float, about 0 to 1, shape `(batch_size, height, width, any)`.
        channels: Of the features.
        width: Channels of the wide convolutions; the narrow ones have a quarter; 56 in the paper, and 12.
        depth: Convolutions of the middle, 4 in the paper.
    """
    x = _prelu(layers.Conv2D(width, 5, padding="same")(planes))
    x = _prelu(layers.Conv2D(max(width // 4, 1), 1)(x))
    for _ in range(depth):
        x = layers.Conv2D(max(width // 4, 1), 3, padding="same")(x)
    x = _prelu(layers.Conv2D(width, 1)(_prelu(x)))
    return layers.Conv2D(channels, 3, padding="same", kernel_initializer=_small())(x)


def edsr(planes: Any, channels: int, width: int, depth: int) -> Any:
    """Return features by residual blocks without normalisation.

    After Lim et al., Enhanced Deep Residual Networks for Single Image Super-Resolution (2017), figure 3.

    Args:
        planes: Symbolic, float, about 0 to 1, shape `(batch_size, height, width, any)`.
        channels: Of the features.
        width: Channels of all convolutions but the last; 64 in the paper's baseline.
        depth: Blocks of two convolutions; 16 in the paper's baseline.
    """
    first = layers.Conv2D(width, 3, padding="same")(planes)
    # The gradients of three uses of a tensor are summed in an order that may differ from one training to
    # the next, those of two are not: so what goes into the blocks is a tensor of its own.
    x = ops.multiply(first, 1.0)
    for _ in range(depth):
        inner = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.Add()([x, layers.Conv2D(width, 3, padding="same", kernel_initializer=_small())(inner)])
    x = layers.Add()([first, layers.Conv2D(width, 3, padding="same")(x)])
    return layers.Conv2D(channels, 3, padding="same", kernel_initializer=_small())(x)


def dncnn(planes: Any, channels: int, width: int, depth: int) -> Any:
    """Return features by a plain stack of convolutions with batch normalisation.

    After Zhang et al., Beyond a Gaussian Denoiser: Residual Learning of Deep CNN (2017), section III.

    Args:
        planes: Symbolic, float, about 0 to 1, shape `(batch_size, height, width, any)`.
        channels: Of the features.
        width: Channels of all convolutions but the last; 64 in the paper.
        depth: Convolutions between the first and the last; 15 in the paper, 18 where it is blind.
    """
    x = layers.Conv2D(width, 3, padding="same", activation="relu")(planes)
    for _ in range(depth):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(FusedBatchNormalization(momentum=STATISTICS_MOMENTUM)(x))
    return layers.Conv2D(channels, 3, padding="same", kernel_initializer=_small())(x)


NETS = {"fsrcnn": fsrcnn, "edsr": edsr, "dncnn": dncnn}


def enlarging(planes: Any, features: Any, scale: int) -> Any:
    """Return planes with more pixels: the bicubic ones, whose filter is learnt further, and the features.

    Args:
        planes: Symbolic, shape `(batch_size, height, width, channels)`.
        features: Symbolic, shape `(batch_size, height, width, channels * scale ** 2)`.
        scale: How many times as high and wide the answer is.
    """
    channels = planes.shape[-1]
    kernel = bicubic_kernel(scale, channels)
    bicubic = layers.Conv2D(
        kernel.shape[-1],
        kernel.shape[:2],
        padding="same",
        use_bias=False,
        kernel_initializer=initializers.Constant(kernel.tolist()),
    )(planes)
    return ops.depth_to_space(layers.Add()([bicubic, features]), scale)


def bicubic_kernel(scale: int, channels: int) -> np.ndarray:
    """Return the convolution that, before its channels become pixels, interpolates as `resized` does.

    Returns:
        float32, shape `(5, 5, channels, channels * scale ** 2)`.
    """
    taps, middle = 2 * REACH + 1, 2 * REACH
    picture = np.zeros((2 * taps - 1, 2 * taps - 1), np.float32)
    picture[middle, middle] = 1
    answer = resized(picture, (scale * picture.shape[0], scale * picture.shape[1]))
    blocks = answer.reshape(len(picture), scale, len(picture), scale).transpose(0, 2, 1, 3)
    inside = slice(middle - REACH, middle + REACH + 1)
    plane = blocks[inside, inside][::-1, ::-1].reshape(taps, taps, scale**2)
    kernel = np.zeros((taps, taps, channels, scale**2, channels), np.float32)
    for channel in range(channels):
        kernel[:, :, channel, :, channel] = plane
    return kernel.reshape(taps, taps, channels, -1)


def _prelu(x: Any) -> Any:
    return layers.PReLU(shared_axes=[1, 2])(x)


def _small() -> initializers.Initializer:
    """Return what lets a residual start small."""
    return initializers.VarianceScaling(0.01)

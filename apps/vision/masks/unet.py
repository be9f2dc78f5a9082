"""U-Net: from pictures to a score of each class for each pixel."""

from __future__ import annotations

from typing import Any

from keras import layers

from core.layers import FusedBatchNormalization

STATISTICS_MOMENTUM = 0.9  # the default of 0.99 takes longer to settle than a short training lasts


def unet(pictures: Any, num_classes: int, width: int, depth: int, dropout: float) -> Any:
    """Return logits by a path that halves the resolution and one that brings it back, joined at each level.

    After Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation (2015), figure
    1, with padding, batch normalisation, and convolutions over enlarged maps in place of transposed ones.

    Args:
        pictures: Symbolic, float, shape `(batch_size, height, width, channels)`, sides divisible by
            `2 ** depth`.
        num_classes: Of the logits.
        width: Channels of the first level; they double at each.
        depth: How often the resolution is halved.
        dropout: Share of the maps of the lowest level that are dropped.
    """
    x, levels = pictures, []
    for level in range(depth):
        x = _two(x, width * 2**level)
        levels.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = _two(x, width * 2**depth)
    if dropout:
        x = layers.SpatialDropout2D(dropout)(x)
    for level in reversed(range(depth)):
        x = _convolution(layers.UpSampling2D(2)(x), width * 2**level)
        x = _two(layers.Concatenate()([levels[level], x]), width * 2**level)
    return layers.Conv2D(num_classes, 1, dtype="float32", name="logits")(x)


def seen(depth: int) -> int:
    """Return how far a U-Net sees around a pixel at the most, in pixels, a multiple of its stride.

    Example:

    >>> [seen(depth) for depth in (1, 2, 3)]
    [12, 28, 64]
    """
    stride = 2**depth
    # Two convolutions on the way down, three on the way up, two at the bottom, and where blocks begin.
    reach = 5 * (stride - 1) + 2 * stride + stride
    return -(-reach // stride) * stride


def _two(x: Any, channels: int) -> Any:
    return _convolution(_convolution(x, channels), channels)


def _convolution(x: Any, channels: int) -> Any:
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(FusedBatchNormalization(momentum=STATISTICS_MOMENTUM)(x))

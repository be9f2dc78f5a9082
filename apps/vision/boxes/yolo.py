"""A one-stage detector without anchors: a backbone, a feature pyramid, and a head at each level."""

from __future__ import annotations

import math
from typing import Any

from keras import initializers, layers

from apps.vision.boxes.answers import NUM_BINS, STRIDES
from core.layers import FusedBatchNormalization

# The default of 0.99 takes longer to settle than a short training lasts.
STATISTICS_MOMENTUM = 0.9
PRIOR = 0.01  # probability of a class at a place before anything is learnt


def yolo(pictures: Any, num_labels: int, width: int, depth: int) -> Any:
    """Return what every place of three levels says: logits of the distances to four sides and of the classes.

    A pyramid carries what is deep back to the fine levels (Lin et al., Feature Pyramid Networks, 2017).

    Args:
        pictures: Symbolic, normalised, shape `(batch_size, height, width, channels)`, sides multiples of 32.
        num_labels: Classes.
        width: Channels at half of the resolution; they double at each halving.
        depth: Residual blocks of each partial block.

    Returns:
        Shape `(batch_size, num_places, 4 * NUM_BINS + num_labels)`.
    """
    every = zip(pyramid(backbone(pictures, width, depth), 4 * width, depth), STRIDES, strict=True)
    heads = [head(level, num_labels, stride) for level, stride in every]
    return layers.Concatenate(axis=1, dtype="float32", name="places")(heads)


def backbone(pictures: Any, width: int, depth: int) -> list[Any]:
    """Return maps at an eighth, a sixteenth and a thirty-second of the resolution.

    Two convolutions halve the resolution before the first block: a training from nothing on a CPU has no time
    for blocks at a quarter. The others are cross-stage partial blocks (Wang et al., CSPNet, 2020).
    """
    x = convolution(convolution(pictures, width, strides=2), 2 * width, strides=2)
    levels = []
    for channels in (4 * width, 8 * width, 16 * width):
        x = partial(convolution(x, channels, strides=2), channels, depth)
        levels.append(x)
    levels[-1] = pooled_context(levels[-1], 4 * width)
    return levels


def pyramid(levels: list[Any], channels: int, depth: int) -> tuple[Any, Any, Any]:
    """Return three levels of so many channels, each of which knows what the coarser ones saw."""
    fine, middle, coarse = (convolution(level, channels, size=1) for level in levels)
    middle = partial(layers.Concatenate()([middle, layers.UpSampling2D()(coarse)]), channels, depth)
    fine = partial(layers.Concatenate()([fine, layers.UpSampling2D()(middle)]), channels, depth)
    return fine, middle, coarse


def head(level: Any, num_labels: int, stride: int) -> Any:
    """Return what the places of one level say, row by row."""
    seen = convolution(level, level.shape[-1])
    sides = layers.Conv2D(4 * NUM_BINS, 1, name=f"sides_{stride}")(seen)
    kinds = layers.Conv2D(
        num_labels,
        1,
        bias_initializer=initializers.Constant(math.log(PRIOR / (1 - PRIOR))),
        name=f"classes_{stride}",
    )(seen)
    both = layers.Concatenate()([sides, kinds])
    return layers.Reshape((-1, 4 * NUM_BINS + num_labels))(both)


def partial(x: Any, channels: int, depth: int) -> Any:
    """Return a block of which half of the channels go through residual blocks and half go by."""
    half = channels // 2
    x = convolution(x, channels, size=1)
    by, through = x[..., :half], x[..., half:]
    for _ in range(depth):
        through = layers.Add()([through, convolution(convolution(through, half), half)])
    return convolution(layers.Concatenate()([by, through]), channels, size=1)


def pooled_context(x: Any, channels: int) -> Any:
    """Return maps that also tell what is strongest around, ever farther (spatial pyramid pooling)."""
    x = convolution(x, channels, size=1)
    pools = [x]
    for _ in range(2):
        pools.append(layers.MaxPooling2D(5, strides=1, padding="same")(pools[-1]))
    return convolution(layers.Concatenate()(pools), channels, size=1)


def convolution(x: Any, channels: int, size: int = 3, strides: int = 1) -> Any:
    """Return a convolution with batch normalisation and a rectifier."""
    x = layers.Conv2D(channels, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(FusedBatchNormalization(momentum=STATISTICS_MOMENTUM)(x))

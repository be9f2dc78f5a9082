"""Convolutional nets for small pictures, from normalised pictures to one vector for each."""

from __future__ import annotations

from typing import Any

from keras import layers

from core.layers import FusedBatchNormalization

# The default of 0.99 takes longer to settle than a short training lasts.
STATISTICS_MOMENTUM = 0.9


def alexnet(pictures: Any, width: int, depth: int, stride: int) -> Any:
    """Return the embedding by few large convolutions, overlapping pools and two dense layers.

    After Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks (2012), with a
    first convolution that fits small pictures, and with batch normalisation in place of its local one and of
    dropout within.

    Args:
        pictures: Symbolic, float, shape `(batch_size, height, width, channels)`.
        width: Channels of the first convolution; the dense layers have 16 times as many units.
        depth: Convolutions of the last stage; 3 in the paper.
        stride: Of the first convolution.

    Returns:
        Shape `(batch_size, 16 * width)`.
    """
    x = _pooled(_convolution(pictures, width, size=5, strides=stride))
    x = _pooled(_convolution(x, 3 * width, size=5))
    for channels in [4 * width] * (depth - 1) + [3 * width]:
        x = _convolution(x, channels)
    x = layers.Flatten()(_pooled(x))
    for _ in range(2):
        x = _activated(layers.Dense(16 * width, use_bias=False)(x))
    return x


def vgg(pictures: Any, width: int, depth: int, stride: int) -> Any:
    """Return the embedding by stages of 3 x 3 convolutions, each at half the resolution of the one before.

    After Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition (2015),
    with batch normalisation and a global mean in place of its dense layers.

    Args:
        pictures: Symbolic, float, shape `(batch_size, height, width, channels)`.
        width: Channels of the first stage; they double at each of three.
        depth: Convolutions a stage.
        stride: Of the first convolution.

    Returns:
        Shape `(batch_size, 4 * width)`.
    """
    x = pictures
    for stage in range(3):
        if stage:
            x = layers.MaxPooling2D(2, padding="same")(x)
        for place in range(depth):
            x = _convolution(x, width * 2**stage, strides=1 if stage or place else stride)
    return layers.GlobalAveragePooling2D()(x)


def resnet(pictures: Any, width: int, depth: int, stride: int) -> Any:
    """Return the embedding by pre-activation residual blocks in three stages.

    After He et al., Identity Mappings in Deep Residual Networks (2016), figure 4(e), sized as their nets for
    CIFAR: a 3 x 3 convolution first, and resolution that halves from stage to stage.

    Args:
        pictures: Symbolic, float, shape `(batch_size, height, width, channels)`.
        width: Channels of the first stage; they double at each of three.
        depth: Blocks of two convolutions a stage.
        stride: Of the first convolution, which grows with it to leave no pixel out.

    Returns:
        Shape `(batch_size, 4 * width)`.
    """
    size = 3 if stride == 1 else 2 * stride + 1
    x = layers.Conv2D(width, size, strides=stride, padding="same", use_bias=False)(pictures)
    for stage in range(3):
        for place in range(depth):
            x = _residual_block(x, width * 2**stage, strides=2 if stage and not place else 1)
    return layers.GlobalAveragePooling2D()(_activated(x))


NETS = {"alexnet": alexnet, "vgg": vgg, "resnet": resnet}


def _residual_block(x: Any, channels: int, strides: int) -> Any:
    active = _activated(x)
    shortcut = x
    if strides > 1 or x.shape[-1] != channels:
        # Every second pixel first: TensorFlow's own 1 x 1 convolution with strides, of 8 channels or fewer on
        # a CPU, writes beyond its memory while it trains.
        thinned = layers.AveragePooling2D(1, strides=strides)(active) if strides > 1 else active
        shortcut = layers.Conv2D(channels, 1, use_bias=False)(thinned)
    x = layers.Conv2D(channels, 3, strides=strides, padding="same", use_bias=False)(active)
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(_activated(x))
    return layers.Add()([shortcut, x])


def _convolution(x: Any, channels: int, size: int = 3, strides: int = 1) -> Any:
    return _activated(layers.Conv2D(channels, size, strides=strides, padding="same", use_bias=False)(x))


def _activated(x: Any) -> Any:
    return layers.ReLU()(FusedBatchNormalization(momentum=STATISTICS_MOMENTUM)(x))


def _pooled(x: Any) -> Any:
    return layers.MaxPooling2D(3, strides=2, padding="same")(x)

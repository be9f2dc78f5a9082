"""The generator, and the discriminator that it is trained against."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

Shape = tuple[int, int, int]
SMALLEST = 4  # pixels along a side of the maps that a picture grows from
SLOPE = 0.2  # of the leaky units of the discriminator, below 0


def halvings(shape: Shape) -> int:
    """Return how often a picture can be halved before its shorter side has fewer than `SMALLEST` pixels.

    Example:

    >>> halvings((28, 28, 1)), halvings((64, 48, 3))
    (2, 3)
    """
    return max((times for times in range(1, 12) if min(shape[:2]) >= SMALLEST * 2**times), default=0)


def generator(shape: Shape, num_classes: int, noise: int, width: int, name: str) -> keras.Model:
    """Return the net from noise and a class to a picture in [-1, 1].

    It grows by nearest neighbours and convolutions, whose channels double towards the noise.

    Args:
        shape: Of the picture: height, width and channels.
        num_classes: Of which each has a vector of its own, joined to the noise.
        noise: Numbers that a picture is made of.
        width: Channels at the full size.
        name: Of the model.

    Returns:
        A model of `[noise (batch, noise), class (batch,)]`.
    """
    times = halvings(shape)
    height, across = (-(-side // 2**times) for side in shape[:2])
    z, label = keras.Input((noise,), name="noise"), keras.Input((), dtype="int32", name="class")
    x = layers.Concatenate()([z, layers.Embedding(num_classes, noise, "random_normal")(label)])
    channels = width * 2**times
    x = layers.Dense(height * across * channels, use_bias=False)(x)
    x = layers.Reshape((height, across, channels))(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    for level in reversed(range(times)):
        x = layers.UpSampling2D(2)(x)
        x = layers.Conv2D(width * 2**level, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Conv2D(shape[2], 3, padding="same")(x)
    x = x[:, : shape[0], : shape[1]]
    picture = layers.Activation("tanh", dtype="float32", name="picture")(x)
    return keras.Model([z, label], picture, name=name)


def discriminator(shape: Shape, num_classes: int, width: int, *, spectral: bool) -> keras.Model:
    """Return the net that scores how real a picture of a class is, by projection onto the class.

    Args:
        shape: Of the picture: height, width and channels.
        num_classes: As of the generator.
        width: Channels of the first stage, which double with each halving.
        spectral: Whether each layer's largest singular value is held at 1 (Miyato et al., 2018).

    Returns:
        A model of `[picture, class (batch,)]` to scores `(batch, 1)`.

    Reference:
        Miyato and Koyama, 2018, cGANs with Projection Discriminator, https://arxiv.org/abs/1802.05637
    """

    def held(layer: keras.layers.Layer) -> Any:
        return layers.SpectralNormalization(layer) if spectral else layer

    x = picture = keras.Input(shape, name="picture")
    label = keras.Input((), dtype="int32", name="class")
    x = layers.LeakyReLU(SLOPE)(held(layers.Conv2D(width, 3, padding="same"))(x))
    for level in range(halvings(shape)):
        channels = width * 2 ** (level + 1)
        x = layers.LeakyReLU(SLOPE)(held(layers.Conv2D(channels, 4, strides=2, padding="same"))(x))
    x = layers.Flatten()(x)
    x = layers.LeakyReLU(SLOPE)(held(layers.Dense(4 * width))(x))
    of_class = layers.Embedding(num_classes, 4 * width, "zeros")(label)
    projected = ops.sum(of_class * x, axis=-1, keepdims=True)
    score = layers.Add(dtype="float32", name="score")([held(layers.Dense(1))(x), projected])
    return keras.Model([picture, label], score, name="discriminator")

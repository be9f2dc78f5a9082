"""Features in which generated pictures are compared with real ones: of a small net that tells classes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

DIMENSIONS = 64
BATCH, LEAST_SIDE = 64, 4
MOST_STEPS, MOST_PASSES = 500, 20
SEED = 0


def feature_net(shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Return a net from uint8 pictures to their features, `(batch, 64)`, and to logits of classes."""
    import keras
    from keras import layers

    seeds = iter(range(SEED, SEED + 100))

    def started() -> keras.Initializer:
        return keras.initializers.HeNormal(seed=next(seeds))

    pictures = keras.Input(shape, name="picture")
    x = layers.Rescaling(1 / 127.5, -1.0)(pictures)
    kernel, channels = 5, 16
    while min(x.shape[1:3]) > LEAST_SIDE:
        x = layers.Conv2D(channels, kernel, 2, "same", activation="relu", kernel_initializer=started())(x)
        kernel, channels = 3, 32
    x = layers.Flatten()(x)
    x = layers.Dense(DIMENSIONS, activation="relu", name="features", kernel_initializer=started())(x)
    logits = layers.Dense(num_classes, name="logits", kernel_initializer=started())(x)
    return keras.Model(pictures, [x, logits], name="features")


def learnt(pictures: np.ndarray, labels: np.ndarray, num_classes: int) -> str:
    """Return the weights of a feature net after 20 passes over pictures or 500 steps, whichever is less.

    Args:
        pictures: uint8, shape `(num_pictures, height, width, channels)`.
        labels: int, shape `(num_pictures,)`.
        num_classes: Of the labels.
    """
    import keras

    net = feature_net(pictures.shape[1:], num_classes)
    if num_classes == 1:  # there is nothing to tell apart: random features compare too, if less sharply
        return as_text(net.get_weights())
    model = keras.Model(net.input, net.output[1])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    size = min(BATCH, len(pictures))  # each batch is full, so that the step is compiled once
    passes = min(MOST_PASSES, -(-MOST_STEPS * size // len(pictures)))
    random = np.random.default_rng(SEED)
    order = np.concatenate([random.permutation(len(pictures)) for _ in range(passes)])
    steps = min(MOST_STEPS, len(order) // size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    for rows in order[: steps * size].reshape(steps, size):
        model.train_on_batch(pictures[rows], labels[rows])
    return as_text(net.get_weights())


def as_text(weights: list[np.ndarray]) -> str:
    """Return weights as text, at half precision."""
    flat = np.concatenate([each.ravel() for each in weights])
    return base64.b64encode(flat.astype("<f2").tobytes()).decode()


class Features:
    """What turns pictures into features and into the classes that they look like.

    Args:
        shape: Of the pictures.
        num_classes: That it tells apart.
        weights: What `learnt` returned.
    """

    def __init__(self, shape: tuple[int, int, int], num_classes: int, weights: str) -> None:
        self.net = feature_net(shape, num_classes)
        flat, start, arrays = np.frombuffer(base64.b64decode(weights), "<f2").astype(np.float32), 0, []
        for weight in self.net.weights:
            size = int(np.prod(weight.shape))
            arrays.append(flat[start : start + size].reshape(weight.shape))
            start += size
        self.net.set_weights(arrays)

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features, float32 of shape `(num_pictures, 64)`, and classes, int of `(num_pictures,)`."""
        blocks = [self.net.predict_on_batch(pictures[at : at + 256]) for at in range(0, len(pictures), 256)]
        features = np.concatenate([np.asarray(block[0], np.float32) for block in blocks])
        classes = np.concatenate([np.asarray(block[1]).argmax(axis=-1) for block in blocks])
        return features, classes

"""Waves of any length that are played faster or slower while training, as a function of a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf


def with_new_speed(
    x: Mapping[str, tf.Tensor],
    y: tf.Tensor,
    seed: tf.Tensor,
    speed: float,
    multiple: int,
    num_frames: Callable[[np.ndarray], np.ndarray],
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Return a batch whose waves have each a speed of their own; what is too slow then stands longer.

    Source: Ko et al., Audio augmentation for speech recognition (2015).

    Args:
        x: `wave`, float32, `(batch_size, num_samples)`, and `num_samples`, int32.
        y: Frames, then units, int32, `(batch_size, 1 + max_units)`.
        seed: int32, shape `(2,)`.
        speed: Largest change either way: 0.1 draws from 1 / 1.1 to 1.1 times.
        multiple: Of which the samples of the new batch are.
        num_frames: From samples to frames of the model, both int32.
    """
    changed, _ = changed_speed(x, seed, speed, multiple)
    frames = frames_by(num_frames, changed["num_samples"])
    return changed, tf.concat([frames[:, None], y[:, 1:]], axis=1)


def frames_by(num_frames: Callable[[np.ndarray], np.ndarray], num_samples: tf.Tensor) -> tf.Tensor:
    """Return how many frames a model makes of waves, int32, by a function of NumPy."""
    return tf.ensure_shape(tf.numpy_function(num_frames, [num_samples], tf.int32), num_samples.shape)


def changed_speed(
    x: Mapping[str, tf.Tensor], seed: tf.Tensor, speed: float, multiple: int
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Return the waves of `with_new_speed`, and how fast each is now, float32, `(batch_size,)`."""
    waves, lengths = x["wave"], x["num_samples"]
    size = tf.shape(waves)
    most = math.log1p(speed)
    factor = tf.exp(tf.random.stateless_uniform((size[0],), seed, -most, most))
    new_lengths = tf.cast(tf.cast(lengths, tf.float32) / factor, tf.int32)
    width = -(-tf.cast(tf.cast(size[1], tf.float32) * (1 + speed), tf.int32) // multiple) * multiple
    place = tf.cast(tf.range(width), tf.float32)[None] * factor[:, None]
    last = tf.cast(size[1] - 1, tf.float32)
    before = tf.clip_by_value(tf.floor(place), 0.0, last)
    share = place - before
    after = tf.minimum(before + 1, last)
    moved = (1 - share) * _samples(waves, before) + share * _samples(waves, after)
    inside = tf.range(width)[None] < new_lengths[:, None]
    return {"wave": tf.where(inside, moved, 0.0), "num_samples": new_lengths}, factor


def _samples(waves: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    return tf.gather(waves, tf.cast(places, tf.int32), batch_dims=1)

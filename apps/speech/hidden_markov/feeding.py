"""Batches of waves with the numbers of their frames among all training frames, by which they are aligned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from apps.speech.transcription.speed import changed_speed, frames_by

NO_FRAME = -1


def as_floats(x: Any, y: Any) -> tuple[Any, Any]:
    """Return waves as floats, full scale at 1."""
    return {**x, "wave": tf.cast(x["wave"], tf.float32) / 32768.0}, y


def numbered(
    x: Any,
    y: tf.Tensor,
    seed: tf.Tensor,
    *,
    speed: float,
    multiple: int,
    num_frames: Callable[[np.ndarray], np.ndarray],
) -> tuple[Any, tf.Tensor]:
    """Return a batch at new speeds, and the number of the training frame that each of its frames was.

    Args:
        x: `wave`, float32, `(batch_size, num_samples)`, and `num_samples`, int32.
        y: The number of the first frame of each recording, and how many it has, int32, `(batch_size, 2)`.
        seed: int32, shape `(2,)`.
        speed: Largest change either way, 0 for none.
        multiple: Of which the samples of the new batch are.
        num_frames: From samples to frames of the model, both int32.

    Returns:
        The batch; and int32, `(batch_size, max_frames)`, `NO_FRAME` beyond the end of each.
    """
    factor = tf.ones(tf.shape(y)[:1])
    if speed:
        x, factor = changed_speed(x, seed, speed, multiple)
    longest = frames_by(num_frames, tf.shape(x["wave"])[1:])[0]
    places = (tf.cast(tf.range(longest), tf.float32)[None] + 0.5) * factor[:, None]
    places = tf.minimum(tf.cast(places, tf.int32), y[:, 1:] - 1)
    inside = tf.range(longest)[None] < frames_by(num_frames, x["num_samples"])[:, None]
    return x, tf.where(inside, y[:, :1] + places, NO_FRAME)

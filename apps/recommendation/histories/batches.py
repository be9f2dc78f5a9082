"""What a net learns from in a step: histories, the item after each of theirs, and drawn negatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from core.data.feed import Transform


def shifted(pieces: tf.Tensor, _: Any) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Return histories, and the item after each of theirs, of pieces padded with zeros.

    Example:

    >>> inputs, targets = shifted(tf.constant([[4, 2, 7], [3, 5, 0]]), None)
    >>> inputs["history"].numpy().tolist(), targets["next"].numpy().tolist()
    ([[4, 2], [3, 5]], [[2, 7], [5, 0]])
    """
    return {"history": pieces[:, :-1]}, {"next": pieces[:, 1:]}


def negatives_drawn(weights: np.ndarray, count: int) -> Transform:
    """Return what adds negatives to the targets of a batch, drawn with replacement.

    Args:
        weights: How often each item is drawn, in any scale; that of item 0 is taken as 0.
        count: How many negatives.
    """
    cumulated = np.cumsum(np.concatenate([[0.0], np.asarray(weights[1:], np.float64)]))
    shares = tf.constant(cumulated / cumulated[-1])
    last = len(weights) - 1

    def draw(inputs: Any, targets: dict[str, tf.Tensor], seed: tf.Tensor) -> tuple[Any, dict[str, tf.Tensor]]:
        drawn = tf.random.stateless_uniform((count,), seed, dtype=tf.float64)
        items = tf.minimum(tf.searchsorted(shares, drawn, side="right"), last)
        return inputs, {**targets, "negatives": tf.maximum(items, 1)}

    return draw

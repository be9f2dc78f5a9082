"""What the net learns from in a step: clicks, each beside some titles that were shown and not clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from core.data.examples import Ragged

if TYPE_CHECKING:
    from apps.recommendation.articles.encoder import NumberedImpressions
    from core.data.feed import Feed


def clicks_beside_others(
    impressions: NumberedImpressions, table: np.ndarray, negatives: int, feed: Feed
) -> tf.data.Dataset:
    """Return batches of words, an example an impression; the clicked title is the first of its candidates.

    Which click it is, and which others stand beside it, is drawn with replacement: in training anew at each
    step, else always the same.

    Args:
        impressions: As numbers of articles.
        table: Words of all articles by their numbers, int32.
        negatives: How many others stand beside a click.
        feed: Batch size, order, seed, and whether this is training.
    """
    columns = {
        "history": impressions.history,
        "clicked": _chosen(impressions, impressions.clicked.values),
        "others": _chosen(impressions, ~impressions.clicked.values),
    }
    words = tf.constant(table)

    def read(inputs: Any, targets: Any, seed: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        clicked = _drawn(inputs["clicked"], 1, seed)
        others = _drawn(inputs["others"], negatives, seed + 1)
        candidates = tf.concat([clicked, others], axis=1)
        # One article of padding, so that nobody's history has no length at all.
        history = tf.pad(inputs["history"], [[0, 0], [1, 0]])
        ready = {"history": tf.gather(words, history), "candidates": tf.gather(words, candidates)}
        return ready, targets

    def read_alike(inputs: Any, targets: Any) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        return read(inputs, targets, tf.zeros(2, tf.int32))

    first = np.zeros(len(impressions), np.int32)
    if feed.training:
        return feed.batches(columns, first, transform=read)
    return feed.batches(columns, first, prepare=read_alike)


def _chosen(impressions: NumberedImpressions, chosen: np.ndarray) -> Ragged:
    """Return the candidates where `chosen`, bool of all candidates, is true."""
    rows = np.repeat(np.arange(len(impressions)), impressions.candidates.lengths)
    counts = np.bincount(rows[chosen], minlength=len(impressions))
    return Ragged(impressions.candidates.values[chosen], np.concatenate([[0], np.cumsum(counts)]))


def _drawn(items: tf.Tensor, count: int, seed: tf.Tensor) -> tf.Tensor:
    available = tf.reduce_sum(tf.cast(items > 0, tf.float32), axis=1, keepdims=True)
    places = tf.random.stateless_uniform((tf.shape(items)[0], count), seed) * available
    return tf.gather(
        items, tf.minimum(tf.cast(places, tf.int32), tf.cast(available, tf.int32) - 1), batch_dims=1
    )

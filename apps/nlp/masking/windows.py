"""Windows of a stream of ids in which words are masked, anew in every epoch of training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from apps.nlp.corpus.streams import Stream
from apps.nlp.masking.marks import chosen_places, mask_id
from apps.nlp.subwords.subwords import END, PADDING, Subwords
from core.data.feed import Feed

MARKED, OTHER = 0.8, 0.1  # of what is masked: becomes the mark, or any sub-word; the rest stays


@dataclass(frozen=True)
class Masking:
    """How words are masked.

    Args:
        words: The word of each id of the stream, int32, shape `(num_ids,)`.
        share: Of the words that are masked.
        seed: Of the masks of parts that are judged.
    """

    words: np.ndarray
    share: float
    seed: int


def num_windows(stream: Stream, context: int) -> int:
    """Return how many windows an epoch has: as many as there are side by side."""
    return max(-(-len(stream) // context), 1)


def masked_windows(
    stream: Stream, subwords: Subwords, context: int, masking: Masking, feed: Feed
) -> tf.data.Dataset:
    """Return batches `(ids, targets, weights)`, each of shape `(batch_size, context)`.

    Weights are 1 where a target was masked, else 0. In training windows start up to their length after their
    place, and masks are drawn anew, both a function of the feed's seed, the epoch and the step; else the
    masks are those of `chosen_places`, and nothing but the mark stands for them.

    Args:
        stream: Of any part.
        subwords: What cut it.
        context: Ids of a window.
        masking: Which words are masked.
        feed: Batch size, order, seed, and whether this is training.

    Reference:
        Devlin et al., BERT (2019), section 3.1; masks drawn anew: Liu et al., RoBERTa (2019), section 4.1
    """
    count = num_windows(stream, context)
    filling = max(count * context - len(stream), 0)
    chosen = chosen_places(stream.ids, masking.words, masking.share, masking.seed)
    with tf.device("CPU:0"):
        ids = tf.constant(np.pad(stream.ids, (0, filling), constant_values=PADDING))
        words = tf.constant(np.pad(masking.words, (0, filling), mode="edge"))
        fixed = tf.constant(np.pad(chosen, (0, filling)))
    last, mark = max(len(stream) - context, 0), mask_id(subwords)

    def at(starts: tf.Tensor) -> tf.Tensor:
        return starts[:, None] + tf.range(context)[None]

    def same(places: tf.Tensor, targets: None) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        where = at(places * context)
        window, masked = tf.gather(ids, where), tf.gather(fixed, where)
        return tf.where(masked, mark, window), window, tf.cast(masked, tf.float32)

    def anew(places: tf.Tensor, targets: None, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
        by = tf.random.stateless_uniform(tf.shape(places), seeds[0], 0, context, tf.int32)
        where = at(tf.minimum(places * context + by, last))
        window, own = tf.gather(ids, where), tf.gather(words, where)
        shape = tf.shape(window)
        drawn = tf.random.stateless_uniform(shape, seeds[1])
        of_word = tf.gather(drawn, own - own[:, :1], batch_dims=1)  # words of a window: at most its length
        masked = (of_word < masking.share) & (window != END) & (window != PADDING)
        becomes = tf.random.stateless_uniform(shape, seeds[2])
        others = tf.random.stateless_uniform(shape, seeds[3], subwords.first, subwords.size, tf.int32)
        read = tf.where(becomes < MARKED, mark, tf.where(becomes < MARKED + OTHER, others, window))
        return tf.where(masked, read, window), window, tf.cast(masked, tf.float32)

    def weighed(batches: tf.data.Dataset) -> tf.data.Dataset:
        return batches.map(lambda ids, targets: (ids, targets[0], targets[1]))

    places = np.arange(count, dtype=np.int32)
    if feed.training:
        return weighed(feed.batches(places, transform=lambda *batch: _paired(anew(*batch))))
    return weighed(feed.batches(places, prepare=lambda *batch: _paired(same(*batch))))


def _paired(batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
    return batch[0], (batch[1], batch[2])

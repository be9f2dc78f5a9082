"""Texts as one stream of ids, and the windows that a model reads of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import tensorflow as tf

from apps.nlp.subwords.subwords import END, PADDING, Subwords
from core.data.examples import Examples
from core.data.larger_than_memory import Growing

if TYPE_CHECKING:
    from core.data.feed import Feed


@dataclass(frozen=True, eq=False)
class Stream:
    """Texts end to end.

    Args:
        ids: Int32, shape `(num_ids,)`: an end before each text, and where there are several, after the last.
        num_bytes: How many bytes of UTF-8 each stands for, int32, of the same shape; 0 of ends.
    """

    ids: np.ndarray
    num_bytes: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


_STREAMS: WeakKeyDictionary[Examples, WeakKeyDictionary[Subwords, Stream]] = WeakKeyDictionary()


def stream_of(examples: Examples, subwords: Subwords) -> Stream:
    """Return the stream of all texts, which is made once for the same examples.

    Args:
        examples: With a column `text`.
        subwords: What cuts them.
    """
    known = _STREAMS.setdefault(examples, WeakKeyDictionary())
    if subwords not in known:
        known[subwords] = _stream(examples, subwords)
    return known[subwords]


def _stream(examples: Examples, subwords: Subwords) -> Stream:
    ids, num_bytes = Growing(np.int32), Growing(np.int32)

    def end() -> None:
        ids.append(np.array([END]))
        num_bytes.append(np.array([0]))

    for text in examples["text"]:
        end()
        own = subwords.ids(str(text))
        ids.append(own)
        num_bytes.append(subwords.num_bytes(own, str(text)))
    # One text alone, which is often the piece of a longer one, has no end that could be learnt.
    if len(examples) > 1:
        end()
    return Stream(ids.array(), num_bytes.array())


def num_windows(stream: Stream, context: int) -> int:
    """Return how many windows an epoch has: as many as there are side by side."""
    return max(-(-(len(stream) - 1) // context), 1)


def windows(stream: Stream, context: int, feed: Feed) -> tf.data.Dataset:
    """Return batches `(ids, targets)`, int32, `(batch_size, context)`; targets of padding are padding.

    In training each window starts up to its length after its place, by the feed's seed, so that an epoch
    reads most of the stream once, and every epoch other windows.

    Args:
        stream: Of any part.
        context: Tokens of a window.
        feed: Batch size, order, seed, and whether this is training.
    """
    count = num_windows(stream, context)
    filling = np.full(max(count * context + 1 - len(stream), 0), PADDING, np.int32)
    with tf.device("CPU:0"):
        ids = tf.constant(np.concatenate([stream.ids, filling]))
    last = max(len(stream) - 1 - context, 0)

    def cut(starts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        window = tf.gather(ids, starts[:, None] + tf.range(context + 1)[None])
        return window[:, :-1], window[:, 1:]

    def moved(places: tf.Tensor, targets: None, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        by = tf.random.stateless_uniform(tf.shape(places), seed, 0, context, tf.int32)
        return cut(tf.minimum(places * context + by, last))

    places = np.arange(count, dtype=np.int32)
    if feed.training:
        return feed.batches(places, transform=moved)
    return feed.batches(places, prepare=lambda places, targets: cut(places * context))

"""Small letters in a graph of TensorFlow, whose own operation follows the language of the machine."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

import numpy as np

from core.data.letters import small_letters

if TYPE_CHECKING:
    import tensorflow as tf


def in_small_letters(texts: tf.Tensor) -> tf.Tensor:
    """Return texts as `core.data.letters.small_letters` gives them, by operations of TensorFlow.

    Args:
        texts: `tf.string` in UTF-8, shape `(num_texts,)`.

    Returns:
        `tf.string`, of the same shape.

    Example:

    >>> import tensorflow as tf
    >>> in_small_letters(tf.constant(["TITLE Straße"])).numpy().tolist()
    [b'title stra\xc3\x9fe']
    """
    import tensorflow as tf

    starts, letters = (tf.constant(array) for array in _table())
    points = tf.strings.unicode_decode(texts, "UTF-8")
    # Beyond the last letter that has two cases, each character stays as it is.
    inside = tf.minimum(points.flat_values, len(_table()[0]) - 2)
    lengths = tf.gather(starts, inside + 1) - tf.gather(starts, inside)
    offsets = tf.cumsum(lengths, exclusive=True)
    place = tf.range(tf.reduce_sum(lengths)) - tf.repeat(offsets, lengths)
    small = tf.gather(letters, tf.repeat(tf.gather(starts, inside), lengths) + place)
    beyond = tf.repeat(points.flat_values > inside, lengths)
    small = tf.where(beyond, tf.repeat(points.flat_values, lengths), small)
    ends = tf.concat([[0], tf.cumsum(lengths)], axis=0)
    rows = tf.gather(ends, points.row_splits)
    return tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(small, tf.cast(rows, tf.int64)), "UTF-8")


@functools.cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Return where each character's small form starts, int32, and these forms one after another, int32.

    The last character stands for all that have no case.
    """
    last = max(code for code in range(sys.maxunicode + 1) if small_letters(chr(code)) != chr(code))
    forms = [[ord(small) for small in small_letters(chr(code))] for code in range(last + 2)]
    starts = np.concatenate([[0], np.cumsum([len(form) for form in forms])])
    return starts.astype(np.int32), np.array([code for form in forms for code in form], np.int32)

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

    large, small, several = _letters()
    for letter, form in several.items():
        texts = tf.strings.regex_replace(texts, letter, form)
    points = tf.strings.unicode_decode(texts, "UTF-8")
    place = tf.minimum(tf.searchsorted(large, points.flat_values), len(large) - 1)
    is_large = tf.gather(large, place) == points.flat_values
    values = tf.where(is_large, tf.gather(small, place), points.flat_values)
    return tf.strings.unicode_encode(points.with_flat_values(values), "UTF-8")


@functools.cache
def _letters() -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Return the letters that are not small, in order, and the small ones, int32; and those of several."""
    forms = {chr(code): small_letters(chr(code)) for code in range(sys.maxunicode + 1)}
    changed = {letter: form for letter, form in forms.items() if letter != form}
    pairs = [(ord(letter), ord(form)) for letter, form in changed.items() if len(form) == 1]
    large, small = np.array(pairs, np.int32).T
    return large, small, {letter: form for letter, form in changed.items() if len(form) > 1}

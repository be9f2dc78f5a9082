"""Pairs of texts as ids, and the batches of few lengths that a model reads of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from apps.nlp.subwords.subwords import END, Subwords
from apps.nlp.translator.lengths import LENGTHS, ids_of
from core.data.examples import Examples, Ragged

if TYPE_CHECKING:
    import tensorflow as tf

    from core.data.feed import Feed


@dataclass(frozen=True, eq=False)
class Pairs:
    """Texts and their translations as ids, without ends, of those that are short enough.

    Args:
        sources: Int32.
        targets: Int32.
        rows: Which of the examples they are, int64.
    """

    sources: Ragged
    targets: Ragged
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> np.ndarray:
        """Of the longer side of each pair, with its end."""
        return np.maximum(self.sources.lengths, self.targets.lengths) + 1


_PAIRS: WeakKeyDictionary[Examples, WeakKeyDictionary[Subwords, dict[int, Pairs]]] = WeakKeyDictionary()


def pairs_of(examples: Examples, subwords: Subwords, max_length: int) -> Pairs:
    """Return the pairs of which both sides have so many tokens at most; made once for the same examples.

    Args:
        examples: With columns `source` and `target`.
        subwords: What cuts them.
        max_length: Tokens, the end among them.
    """
    known = _PAIRS.setdefault(examples, WeakKeyDictionary()).setdefault(subwords, {})
    if max_length not in known:
        sides = [_ragged((str(text) for text in examples[name]), subwords) for name in ("source", "target")]
        longest = np.maximum(sides[0].lengths, sides[1].lengths) + 1
        rows = np.flatnonzero(longest <= max_length)
        known[max_length] = Pairs(sides[0].take(rows), sides[1].take(rows), rows)
    return known[max_length]


def _ragged(texts: Iterable[str], subwords: Subwords) -> Ragged:
    return Ragged.gathered((ids_of(text, subwords) for text in texts), np.int32)


def ended(rows: Ragged) -> Ragged:
    """Return rows with an end after each.

    Example:

    >>> ended(Ragged.from_rows([[7, 8], [9]], np.int32)).values.tolist()
    [7, 8, 1, 9, 1]
    """
    values = np.insert(rows.values, rows.offsets[1:], END)
    return Ragged(values, rows.offsets + np.arange(len(rows) + 1))


def begun(rows: Ragged) -> Ragged:
    """Return rows with an end before each, which begins a text.

    Example:

    >>> begun(Ragged.from_rows([[7, 8], [9]], np.int32)).values.tolist()
    [1, 7, 8, 1, 9]
    """
    values = np.insert(rows.values, rows.offsets[:-1], END)
    return Ragged(values, rows.offsets + np.arange(len(rows) + 1))


def batches(pairs: Pairs, feed: Feed) -> tf.data.Dataset:
    """Return batches `({"source", "target"}, next tokens)`, int32, padded alike to one of few lengths.

    Args:
        pairs: Of any part.
        feed: Batch size, order, seed, and whether this is training: then pairs of like length stand together.
    """
    x = {"source": ended(pairs.sources), "target": begun(pairs.targets)}
    return feed.batches(x, ended(pairs.targets), lengths=pairs.lengths, prepare=_padded)


def _padded(x: Any, y: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    longest = tf.maximum(tf.shape(x["source"])[1], tf.shape(y)[1])
    place = tf.minimum(tf.searchsorted(LENGTHS, tf.cast(longest, tf.int64)[None])[0], len(LENGTHS) - 1)
    length = tf.cast(tf.gather(LENGTHS, place), tf.int32)

    def pad(ids: Any) -> Any:
        return tf.pad(ids, [[0, 0], [0, length - tf.shape(ids)[1]]])

    return {name: pad(ids) for name, ids in x.items()}, pad(y)

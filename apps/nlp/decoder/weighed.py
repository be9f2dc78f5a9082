"""The texts that a beam search weighs, and how it goes one token on; alike in compiled loops and exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.nlp.decoder.drawing import NEVER
from apps.nlp.subwords.subwords import END, PADDING, UNKNOWN

Top = Callable[[Any, int], Any]
"""From numbers, `(batch_size, count)`, to the places of the highest of each row, highest first."""


class Numpy:
    """The functions of NumPy, and `cast` as `keras.ops` has them."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def cast(self, numbers: Any, dtype: str) -> np.ndarray:
        """Return numbers of another type."""
        return np.asarray(numbers).astype(dtype)


NUMPY = Numpy()
"""For the functions below."""


@dataclass(frozen=True, eq=False)
class Beams:
    """The texts that are weighed, of each the likeliest first.

    Args:
        tokens: Int32, shape `(batch_size, beams, length)`; `PADDING` after the end of a text.
        scores: Logarithms of their probability by the penalty of their length, float32, shape
            `(batch_size, beams)`.
        ended: Whether they are whole, bool, `(batch_size, beams)`.
    """

    tokens: np.ndarray
    scores: np.ndarray
    ended: np.ndarray

    def ids(self, row: int, beam: int = 0) -> list[int]:
        """Return the ids of one text, without its end."""
        ids = self.tokens[row, beam].tolist()
        return [each for each in ids if each not in (PADDING, END)]


def penalty(lengths: Any, power: Any) -> Any:
    """Return by what the logarithm of a text's probability is divided: 1 for any length where power is 0.

    Reference:
        Wu et al., Google's Neural Machine Translation System (2016), equation 14

    Example:

    >>> penalty(7.0, 1.0), penalty(7.0, 0.0)
    (2.0, 1.0)
    """
    return ((5.0 + lengths) / 6.0) ** power


def by_length(namespace: Any, scores: Any, lengths: Any, power: Any) -> Any:
    """Return the logarithms of probabilities by the penalties of their lengths, float32.

    Args:
        namespace: `NUMPY` or `keras.ops`, whose functions of the same names are called.
        scores: Float32, any shape.
        lengths: Int, of the same shape.
        power: Of the penalty.
    """
    return scores / penalty(namespace.cast(namespace.maximum(lengths, 1), "float32"), power)


def stopped(namespace: Any, scores: Any, ended: Any, lengths: Any, power: Any, length: int) -> Any:
    """Return the texts whose search is over, bool, `(batch_size, 1)`.

    It is where none of its beams that goes on can still overtake the best that has ended.

    Args:
        namespace: `NUMPY` or `keras.ops`.
        scores: Logarithms of the beams' probabilities, float32, shape `(batch_size, beams)`.
        ended: Whether they have ended, bool.
        lengths: Their tokens, int.
        power: Of the penalty.
        length: Tokens of a text at most.
    """
    # A text that goes on only loses probability, and is made up for its length by that of the longest.
    to_come = namespace.where(ended, 4 * NEVER, scores / penalty(float(length), power))
    best = namespace.where(ended, by_length(namespace, scores, lengths, power), 4 * NEVER)
    best, to_come = (namespace.max(each, axis=-1, keepdims=True) for each in (best, to_come))
    return namespace.logical_and(namespace.any(ended, axis=-1, keepdims=True), best >= to_come)


def never_written(size: int, forbidden: tuple[int, ...] = ()) -> np.ndarray:
    """Return what is added to logits so that padding, what is unknown and the like are never written."""
    banned = np.zeros(size, np.float32)
    banned[[PADDING, UNKNOWN, *forbidden]] = 2 * NEVER
    return banned


def one_further(
    namespace: Any,
    top: Top,
    logits: Any,
    state: tuple[Any, Any, Any],
    place: Any,
    power: Any,
    length: int,
) -> tuple[Any, Any, tuple[Any, Any, Any]]:
    """Return the likeliest beams that are one token longer; those of which the search is over stay.

    Args:
        namespace: `NUMPY` or `keras.ops`.
        top: Finds the highest numbers.
        logits: Of the next tokens, with what is forbidden made unlikely, float32, shape
            `(batch_size, beams, vocabulary_size)`.
        state: Scores, whether ended, and lengths, as `stopped` takes them.
        place: Of the token, from 0.
        power: Of the penalty.
        length: Tokens of a text at most.

    Returns:
        From which beam each goes on, and its token, int32, shape `(batch_size, beams)`; and its state.
    """
    scores, ended, lengths = state
    beams, size = logits.shape[1:]
    over = namespace.logical_or(ended, stopped(namespace, scores, ended, lengths, power, length))
    highest = namespace.max(logits, axis=-1, keepdims=True)
    totals = namespace.log(namespace.sum(namespace.exp(logits - highest), axis=-1, keepdims=True))
    filling = np.full(size, 2 * NEVER, np.float32)
    filling[PADDING] = 0.0  # what is over goes on with padding, at no cost
    logs = namespace.where(namespace.expand_dims(over, -1), filling, logits - highest - totals)
    sums = namespace.expand_dims(scores, -1) + logs
    lengths = namespace.where(over, lengths, place + 1)
    weights = penalty(namespace.cast(namespace.maximum(lengths, 1), "float32"), power)
    ranked = namespace.reshape(sums / namespace.expand_dims(weights, -1), (-1, beams * size))
    picks = namespace.cast(top(ranked, beams), "int32")
    parents, written = picks // size, picks % size
    scores = namespace.take_along_axis(namespace.reshape(sums, (-1, beams * size)), picks, axis=1)
    ended, lengths = (namespace.take_along_axis(each, parents, axis=1) for each in (ended, lengths))
    return parents, written, (scores, namespace.logical_or(ended, namespace.equal(written, END)), lengths)

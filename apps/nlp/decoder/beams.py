"""Searches the likeliest text by beams: several texts weighed at once, in a loop that is compiled once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from apps.nlp.decoder.compiled import compiled
from apps.nlp.decoder.drawing import NEVER
from apps.nlp.subwords.subwords import END, PADDING, UNKNOWN


class BeamSteps(Protocol):
    """A model that reads what texts are written from, and then writes token by token.

    Attributes:
        model: Whose weights it reads.
    """

    model: keras.Model

    def begin(self, given: Any, beams: int, length: int) -> tuple[Any, Any]:
        """Return what stays the same for all beams of a text, and caches with room for `length` tokens.

        Both have `beams` rows a text, one after another.
        """

    def step(self, tokens: Any, memory: Any, cache: Any, places: Any) -> tuple[Any, Any]:
        """Return the logits after one more token a row, and the cache.

        Args:
            tokens: Int, shape `(num_rows, 1)`.
            memory: What `begin` returned.
            cache: What the step before returned.
            places: Where the tokens stand, int, shape `(num_rows,)`.
        """


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


class BeamSearch:
    """Searches texts by a model.

    A text that has ended keeps its place among the beams until likelier ones take it. The search of a text is
    over where all its beams have ended, or none that has not can still overtake the best. With one beam it is
    greedy.

    Args:
        steps: The model.
        forbidden: Ids that are never written, beside padding and what is unknown.

    Reference:
        Graves, Sequence Transduction with Recurrent Neural Networks (2012), section 2.7
    """

    def __init__(self, steps: BeamSteps, forbidden: Sequence[int] = ()) -> None:
        self.steps = steps
        self.forbidden = [PADDING, UNKNOWN, *forbidden]
        self._compiled: dict[tuple[int, int], tuple[Any, Any]] = {}

    def states(
        self,
        given: Any,
        *,
        beams: int,
        length: int,
        length_penalty: float,
        at_a_call: int | None = None,
    ) -> Iterator[Beams]:
        """Yield the texts as they grow; the last are what was searched.

        Args:
            given: What `BeamSteps.begin` takes, for a batch of texts.
            beams: Texts that are weighed at once.
            length: Tokens of a text at most, its end among them.
            length_penalty: Power by which long texts are made up for their length; 0 is not at all.
            at_a_call: New tokens between two yields; by default all.
        """
        begin, search = self._functions(beams, length)
        memory, state = begin(given)
        place, over = 0, False
        while place < length and not over:
            number = min(at_a_call or length, length - place)
            state, stopped = search(memory, state, np.int32(place + number), np.float32(length_penalty))
            place, over = place + number, bool(ops.convert_to_numpy(stopped))
            tokens, scores, ended, lengths = (ops.convert_to_numpy(each) for each in state[1:5])
            normal = scores / penalty(np.maximum(lengths, 1), length_penalty)
            yield Beams(tokens, normal.astype(np.float32), ended)

    def _functions(self, beams: int, length: int) -> tuple[Any, Any]:
        key = beams, length
        if key not in self._compiled:

            def begin(given: Any) -> Any:
                return self._begun(given, beams, length)

            def search(memory: Any, state: Any, until: Any, power: Any) -> Any:
                return self._searched(memory, state, until, power, beams, length)

            self._compiled[key] = compiled(begin, self.steps.model), compiled(search, self.steps.model)
        return self._compiled[key]

    def _begun(self, given: Any, beams: int, length: int) -> Any:
        memory, cache = self.steps.begin(given, beams, length)
        some = ops.zeros_like(given[:, :1], dtype="int32")
        lengths = ops.repeat(some, beams, axis=1)
        # All beams are one until the first token is written, so all but one wait.
        waits = np.array([[0.0] + [NEVER] * (beams - 1)], np.float32)
        scores = ops.cast(lengths, "float32") + waits
        tokens = ops.repeat(ops.expand_dims(lengths, -1), length, axis=2)
        place = ops.convert_to_tensor(0, "int32")
        return memory, (place, tokens, scores, ops.cast(lengths, "bool"), lengths, cache)

    def _searched(
        self, memory: Any, state: Any, until: Any, power: Any, beams: int, length: int
    ) -> tuple[Any, Any]:
        def goes_on(place: Any, tokens: Any, scores: Any, ended: Any, lengths: Any, cache: Any) -> Any:
            stopped = _stopped(scores, ended, lengths, power, length)
            return ops.logical_and(place < until, ops.logical_not(ops.all(stopped)))

        def write(place: Any, tokens: Any, scores: Any, ended: Any, lengths: Any, cache: Any) -> Any:
            here = ops.equal(ops.arange(length, dtype="int32"), place - 1)
            last = ops.sum(ops.where(here, tokens, 0), axis=-1)
            last = ops.where(ops.equal(place, 0), END, last)
            places = ops.reshape(ops.zeros_like(last) + place, (-1,))
            logits, cache = self.steps.step(ops.reshape(last, (-1, 1)), memory, cache, places)
            stopped = ops.logical_or(ended, _stopped(scores, ended, lengths, power, length))
            totals = ops.expand_dims(scores, -1) + self._logs(logits, stopped, beams)
            lengths = ops.where(stopped, lengths, place + 1)
            ranked = totals / ops.expand_dims(penalty(ops.cast(lengths, "float32"), power), -1)
            size = totals.shape[-1]
            _, picks = ops.top_k(ops.reshape(ranked, (-1, beams * size)), beams)
            picks = ops.cast(picks, "int32")
            parents, written = picks // size, picks % size
            scores = ops.take_along_axis(ops.reshape(totals, (-1, beams * size)), picks, axis=1)
            # Of beams that have stopped, whatever stands at this place is padding.
            ended, lengths = (ops.take_along_axis(each, parents, axis=1) for each in (ended, lengths))
            tokens = ops.take_along_axis(tokens, ops.expand_dims(parents, -1), axis=1)
            now = ops.equal(ops.arange(length, dtype="int32"), place)
            tokens = ops.where(now, ops.expand_dims(written, -1), tokens)
            ended = ops.logical_or(ended, ops.equal(written, END))
            firsts = ops.expand_dims(ops.arange(ops.shape(parents)[0], dtype="int32") * beams, -1)
            rows = ops.reshape(firsts + parents, (-1,))
            cache = [tuple(ops.take(each, rows, axis=0) for each in kept) for kept in cache]
            return place + 1, tokens, scores, ended, lengths, cache

        state = ops.while_loop(goes_on, write, state)
        _, _, scores, ended, lengths, _ = state
        return state, ops.all(_stopped(scores, ended, lengths, power, length))

    def _logs(self, logits: Any, stopped: Any, beams: int) -> Any:
        """Return the logarithms of the next tokens' probabilities, `(batch_size, beams, size)`.

        What has stopped goes on with padding, at no cost.
        """
        size = logits.shape[-1]
        banned, filling = np.zeros(size, np.float32), np.full(size, 2 * NEVER, np.float32)
        banned[self.forbidden] = 2 * NEVER
        filling[PADDING] = 0.0
        logs = ops.log_softmax(ops.cast(logits, "float32") + banned)
        return ops.where(ops.expand_dims(stopped, -1), filling, ops.reshape(logs, (-1, beams, size)))


def _stopped(scores: Any, ended: Any, lengths: Any, power: Any, length: int) -> Any:
    """Return which beams are of texts whose search is over, bool, `(batch_size, 1)` or wider."""
    normal = scores / penalty(ops.cast(ops.maximum(lengths, 1), "float32"), power)
    # A text that goes on only loses probability, and is made up for its length by that of the longest.
    best_to_come = scores / penalty(float(length), power)
    best_to_come = ops.max(ops.where(ended, 4 * NEVER, best_to_come), axis=-1, keepdims=True)
    best = ops.max(ops.where(ended, normal, 4 * NEVER), axis=-1, keepdims=True)
    return ops.logical_and(ops.any(ended, axis=-1, keepdims=True), best >= best_to_come)

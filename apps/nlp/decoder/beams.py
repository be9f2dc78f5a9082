"""Searches the likeliest text by beams: several texts weighed at once, in a loop that is compiled once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from apps.nlp.decoder.compiled import compiled
from apps.nlp.decoder.drawing import NEVER
from apps.nlp.decoder.weighed import NUMPY, Beams, by_length, never_written, one_further, stopped
from apps.nlp.subwords.subwords import END


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
        self.forbidden = tuple(forbidden)
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
            state, all_over = search(memory, state, np.int32(place + number), np.float32(length_penalty))
            place, over = place + number, bool(ops.convert_to_numpy(all_over))
            tokens, scores, ended, lengths = (ops.convert_to_numpy(each) for each in state[1:5])
            yield Beams(tokens, by_length(NUMPY, scores, lengths, np.float32(length_penalty)), ended)

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
            over = stopped(ops, scores, ended, lengths, power, length)
            return ops.logical_and(place < until, ops.logical_not(ops.all(over)))

        def write(place: Any, tokens: Any, scores: Any, ended: Any, lengths: Any, cache: Any) -> Any:
            positions = ops.arange(length, dtype="int32")
            last = ops.sum(ops.where(ops.equal(positions, place - 1), tokens, 0), axis=-1)
            last = ops.where(ops.equal(place, 0), END, last)
            places = ops.reshape(ops.zeros_like(last) + place, (-1,))
            logits, cache = self.steps.step(ops.reshape(last, (-1, 1)), memory, cache, places)
            size = logits.shape[-1]
            allowed = ops.cast(logits, "float32") + never_written(size, self.forbidden)
            parents, written, (scores, ended, lengths) = one_further(
                ops,
                _top,
                ops.reshape(allowed, (-1, beams, size)),
                (scores, ended, lengths),
                place,
                power,
                length,
            )
            tokens = ops.take_along_axis(tokens, ops.expand_dims(parents, -1), axis=1)
            tokens = ops.where(ops.equal(positions, place), ops.expand_dims(written, -1), tokens)
            firsts = ops.expand_dims(ops.arange(ops.shape(parents)[0], dtype="int32") * beams, -1)
            rows = ops.reshape(firsts + parents, (-1,))
            cache = [tuple(ops.take(each, rows, axis=0) for each in kept) for kept in cache]
            return place + 1, tokens, scores, ended, lengths, cache

        state = ops.while_loop(goes_on, write, state)
        _, _, scores, ended, lengths, _ = state
        return state, ops.all(stopped(ops, scores, ended, lengths, power, length))


def _top(numbers: Any, count: int) -> Any:
    return ops.top_k(numbers, count)[1]

"""Writes texts on: several at once, from kept keys and values, in loops that are compiled once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import keras
import numpy as np
from keras import ops

from apps.nlp.decoder.compiled import compiled
from apps.nlp.decoder.drawing import NEVER, Drawing, draws, next_tokens
from apps.nlp.subwords.subwords import END, PADDING, UNKNOWN

AT_A_CALL = 32  # tokens, at most: so long a text grows before anybody sees it


class Steps(Protocol):
    """A model that reads the beginnings of texts, and then token by token.

    Attributes:
        model: Whose weights it reads.
        length: Tokens for which the cache has room.
    """

    model: keras.Model
    length: int

    def begin(self, given: Any) -> tuple[Any, Any]:
        """Return the logits of the first new token, `(batch_size, vocabulary_size)`, and the cache."""

    def step(self, tokens: Any, cache: Any, places: Any) -> tuple[Any, Any]:
        """Return the logits after one more token a text, and the cache.

        Args:
            tokens: Int, shape `(batch_size, 1)`.
            cache: What the step before returned.
            places: Where the tokens stand, int, shape `(batch_size,)`.
        """


class Writer:
    """Writes texts on by a model.

    Each loop of up to `AT_A_CALL` tokens is one call. The cache has one size, beginnings are padded to few
    lengths and batches to powers of two, so neither the length of a prompt nor that of an answer compiles
    anything anew.

    Args:
        steps: The model.
        forbidden: Ids that are never written, beside padding and what is unknown.
    """

    def __init__(self, steps: Steps, forbidden: Sequence[int] = ()) -> None:
        self.steps = steps
        self.forbidden = [PADDING, UNKNOWN, *forbidden]
        self._begin = compiled(steps.begin, steps.model)
        self._loops: dict[tuple[bool, bool], Any] = {}

    def written(
        self,
        given: Any,
        lengths: np.ndarray,
        drawing: Drawing,
        seeds: Sequence[int],
        *,
        count: int,
        start: int = 0,
        seen: np.ndarray | None = None,
        at_a_call: int = AT_A_CALL,
    ) -> Iterator[np.ndarray]:
        """Yield the new tokens of each text, call by call, as long as there is room and one goes on.

        Args:
            given: What `Steps.begin` takes, for a batch of texts.
            lengths: Tokens of each that stand in the cache once it has begun, int, shape `(batch_size,)`.
            drawing: How tokens are drawn.
            seeds: Of the draws, one a text.
            count: New tokens of each, at most.
            start: How many of each text were written before, which the draws go on from.
            seen: Bool, shape `(batch_size, vocabulary_size)`: what stands there already; it is changed.
            at_a_call: New tokens between two yields, at most `AT_A_CALL`.

        Yields:
            Int32, shape `(batch_size, num_new)`; `PADDING` after the end of a text.
        """
        places = np.asarray(lengths, np.int32)
        count = min(count, self.steps.length - int(places.max()))
        drawn = np.stack([draws(seed, start, count) for seed in seeds])
        logits, cache = self._begin(given)
        ended = np.zeros(len(places), bool)
        loop, written = self._loop(drawing), 0
        while written < count and not ended.all():
            number = min(at_a_call, AT_A_CALL, count - written)
            part = np.zeros((len(places), AT_A_CALL), np.float32)
            part[:, :number] = drawn[:, written : written + number]
            state = (logits, cache, places, ended, *([seen] if drawing.penalises else []))
            tokens, logits, cache, ended = loop(state, part, np.int32(number), drawing.numbers)
            tokens, ended = ops.convert_to_numpy(tokens)[:, :number], ops.convert_to_numpy(ended)
            if seen is not None:
                np.put_along_axis(seen, tokens.astype(np.int64), True, axis=1)
            places = places + np.int32(number)
            written += number
            yield tokens

    def _loop(self, drawing: Drawing) -> Any:
        kind = drawing.sorts, drawing.penalises
        if kind not in self._loops:

            def loop(state: Any, drawn: Any, number: Any, numbers: Any) -> Any:
                return self._written(state, drawn, number, numbers, sorts=kind[0])

            self._loops[kind] = compiled(loop, self.steps.model)
        return self._loops[kind]

    def _written(self, state: Any, drawn: Any, number: Any, numbers: Any, *, sorts: bool) -> Any:
        logits, cache, places, ended, *seen = state
        size = logits.shape[-1]
        banned = np.zeros(size, np.float32)
        banned[self.forbidden] = NEVER

        def goes_on(place: Any, tokens: Any, logits: Any, cache: Any, ended: Any, seen: Any) -> Any:
            return ops.logical_and(place < number, ops.logical_not(ops.all(ended)))

        def write(place: Any, tokens: Any, logits: Any, cache: Any, ended: Any, seen: Any) -> Any:
            here = ops.equal(ops.arange(AT_A_CALL, dtype="int32"), place)
            draw = ops.sum(ops.where(here[None], drawn, 0.0), axis=1)
            known = seen[0] if seen else None
            token = next_tokens(ops, logits + banned, draw, numbers, known, sorts=sorts)
            token = ops.where(ended, PADDING, ops.cast(token, "int32"))
            tokens = ops.where(here[None], token[:, None], tokens)
            if seen:
                seen = [ops.logical_or(known, ops.equal(ops.arange(size)[None], token[:, None]))]
            ended = ops.logical_or(ended, ops.equal(token, END))
            logits, cache = self.steps.step(token[:, None], cache, places + place)
            return place + 1, tokens, logits, cache, ended, seen

        tokens = ops.zeros_like(drawn, dtype="int32")
        start = (ops.convert_to_tensor(0, "int32"), tokens, logits, cache, ended, seen)
        _, tokens, logits, cache, ended, _ = ops.while_loop(goes_on, write, start)
        return tokens, logits, cache, ended

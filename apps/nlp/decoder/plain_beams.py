"""Beam search over exported graphs, in plain NumPy; `beams.BeamSearch` does the same in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from apps.nlp.decoder.weighed import NUMPY, Beams, by_length, never_written, one_further, stopped
from apps.nlp.subwords.subwords import END

Cache = tuple[np.ndarray, ...]
"""What grows with a text, a row a beam."""


class PlainBeamSearch:
    """Searches texts token by token.

    Args:
        begin: From what texts are written from, and how many beams each has, to what stays the same for a
            text, a row a beam, and empty caches.
        step: From tokens, int32 `(num_rows, 1)`, what stays the same, the caches, and the place of the
            tokens, to logits, float32 `(num_rows, vocabulary_size)`, and longer caches.
    """

    def __init__(
        self,
        begin: Callable[[Any, int], tuple[Any, Cache]],
        step: Callable[[np.ndarray, Any, Cache, int], tuple[np.ndarray, Cache]],
    ) -> None:
        self.begin = begin
        self.step = step

    def states(
        self,
        given: np.ndarray,
        *,
        beams: int,
        length: int,
        length_penalty: float,
        at_a_call: int | None = None,
    ) -> Iterator[Beams]:
        """Yield the texts as they grow, as `beams.BeamSearch.states` does."""
        memory, cache = self.begin(given, beams)
        shape, power = (len(given), beams), np.float32(length_penalty)
        state = np.zeros(shape, np.float32), np.zeros(shape, bool), np.zeros(shape, np.int32)
        state[0][:, 1:] = -1e9  # all beams are one until the first token is written
        tokens, last = np.zeros((*shape, length), np.int32), np.full(shape, END, np.int32)
        for place in range(length):
            logits, cache = self.step(last.reshape(-1, 1), memory, cache, place)
            allowed = (logits + never_written(logits.shape[-1])).reshape(*shape, -1)
            parents, last, state = one_further(NUMPY, _top, allowed, state, place, power, length)
            tokens = np.take_along_axis(tokens, parents[..., None], axis=1)
            tokens[:, :, place] = last
            rows = (np.arange(len(given))[:, None] * beams + parents).ravel()
            cache = tuple(each[rows] for each in cache)
            over = bool(stopped(NUMPY, *state, power, length).all())
            if over or place == length - 1 or (at_a_call and (place + 1) % at_a_call == 0):
                yield Beams(tokens, by_length(NUMPY, state[0], state[2], power), state[1])
            if over:
                break


def _top(numbers: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(-numbers, axis=-1, kind="stable")[:, :count]

"""A model of transcripts for the search: n-grams of their units; NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.speech.transcription.units import Units
from core.language.ngrams import NGrams

State = tuple[int, ...]
MOST_KEPT = 100_000  # histories whose chances are not computed anew


class Transcribed:
    """How likely units are after those before them, counted in transcripts.

    Args:
        texts: Transcripts of the training part.
        units: Of the transcripts.
        order: Units of the longest n-grams, at least 1.

    Example:

    >>> units = Units("words", ["go", "left", "right"])
    >>> language = Transcribed(["go left"] * 5 + ["go right"], units, order=2)
    >>> after_go = language.next(language.start(), 0)[1]
    >>> language.next(after_go, 1)[0] > language.next(after_go, 2)[0]
    True
    """

    def __init__(self, texts: Sequence[str], units: Units, order: int) -> None:
        self.edge = len(units.names)  # stands between transcripts
        ids = [self.edge]
        for text in texts:
            ids += [*units.ids(text), self.edge]
        self.grams = NGrams(np.array(ids), size=self.edge + 1, order=order)
        self.kept: dict[State, np.ndarray] = {}

    def start(self) -> State:
        """Return the state before the first unit."""
        return (self.edge,)[: self.grams.order - 1]

    def next(self, state: State, unit: int) -> tuple[float, State]:
        """Return the logarithm of a unit's probability after a state, and the state after it."""
        length = self.grams.order - 1
        return float(self.logs(state)[unit]), ((*state, unit)[-length:] if length else ())

    def end(self, state: State) -> float:
        """Return the logarithm of the probability that a transcript ends after a state."""
        return float(self.logs(state)[self.edge])

    def logs(self, state: State) -> np.ndarray:
        """Return the logarithms of the probabilities of all units after a state, and of the end at last."""
        if state not in self.kept:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            self.kept[state] = np.log(self.grams.chances(np.array(state, np.int64)))
        return self.kept[state]

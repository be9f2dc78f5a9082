"""The hidden states of sounds, and the graph of those that a transcript goes through; NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.language.viterbi import StateGraph

Lexicon = Mapping[str, Sequence[Sequence[str]]]
"""Word to the ways to say it, each by its sounds."""
SILENCE = -1  # what stands for a word where none is said


@dataclass(frozen=True, eq=False)
class Pronunciations:
    """The words of a vocabulary as the hidden states that each goes through; silence has the last state.

    Args:
        words: The vocabulary, whose places are the numbers of words.
        lexicon: How each is said.
        states_each: States of a sound, one after the other.

    Example:

    >>> said = Pronunciations(["go", "no"], {"go": [["G", "OW"]], "no": [["N", "OW"]]}, states_each=2)
    >>> said.of(0), said.silence
    ([[0, 1, 4, 5]], 6)
    """

    words: Sequence[str]
    lexicon: Lexicon
    states_each: int

    @cached_property
    def sounds(self) -> list[str]:
        """All sounds, in order of their names."""
        return sorted({sound for ways in self.lexicon.values() for way in ways for sound in way})

    @property
    def silence(self) -> int:
        """The state of silence."""
        return len(self.sounds) * self.states_each

    @property
    def num_states(self) -> int:
        """All states, that of silence too."""
        return self.silence + 1

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Word to its number."""
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def _of_words(self) -> list[list[list[int]]]:
        first = {sound: place * self.states_each for place, sound in enumerate(self.sounds)}
        return [
            [[first[sound] + step for sound in way for step in range(self.states_each)] for way in ways]
            for ways in (self.lexicon[word] for word in self.words)
        ]

    def of(self, word: int) -> list[list[int]]:
        """Return the states of each way to say a word, by its number."""
        return self._of_words[word]

    def fewest(self, words: Sequence[int]) -> int:
        """Return how many frames words take at the least."""
        return sum(min(map(len, self.of(word))) for word in words)

    def flat(self, words: Sequence[int], num_frames: int) -> np.ndarray:
        """Return the state of each frame if all of a transcript's take equally long, silence around it.

        Args:
            words: By number.
            num_frames: Of the recording.
        """
        spoken = [state for word in words for state in self.of(word)[0]]
        states = np.array([self.silence, *spoken, self.silence])
        return states[np.arange(num_frames) * len(states) // max(num_frames, 1)]

    def graph(self, words: Sequence[int]) -> tuple[StateGraph, np.ndarray]:
        """Return the graph of a transcript, silence between words included, and the word of each place.

        Args:
            words: By number.

        Returns:
            The graph; and which of `words` each place belongs to, int64, `SILENCE` where none.
        """
        states, before, of_places = [self.silence], [[SILENCE]], [SILENCE]
        exits, starts = [0], [0]
        for place, word in enumerate(words):
            ends = []
            for way in self.of(word):
                if place == 0:
                    starts.append(len(states))
                for step, state in enumerate(way):
                    before.append(exits if step == 0 else [len(states) - 1])
                    states.append(state)
                    of_places.append(place)
                ends.append(len(states) - 1)
            before.append(ends)
            states.append(self.silence)
            of_places.append(SILENCE)
            exits = [*ends, len(states) - 1]
        return _graph(states, before, starts, exits), np.array(of_places)


def _graph(
    states: Sequence[int], before: Sequence[Sequence[int]], starts: Sequence[int], ends: Sequence[int]
) -> StateGraph:
    padded = np.full((len(states), max(map(len, before))), -1)
    for row, places in zip(padded, before, strict=True):
        row[: len(places)] = places
    may_start, may_end = (np.isin(np.arange(len(states)), places) for places in (starts, ends))
    return StateGraph(np.array(states), padded, may_start, may_end)

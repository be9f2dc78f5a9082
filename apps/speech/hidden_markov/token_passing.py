"""The search for the likeliest words: tokens that pass through the states of all words; NumPy alone.

Source: Young, Russell and Thornton, Token passing: a simple conceptual model for connected speech recognition
systems (1989).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from apps.speech.hidden_markov.states import SILENCE, Pronunciations
from apps.speech.transcription.decoding import Hypothesis

NEVER = -np.inf
BEAM_WIDTH = 120.0  # nats below the best token at which the end of a word is followed no further
MOST_ENDS = 200  # of words that are followed in one frame
NO_TOKEN = -1


class WordModel(Protocol):
    """What the search asks of a model of transcripts, word by word."""

    def start(self) -> Any:
        """Return the state before the first word."""

    def logs(self, state: Any) -> np.ndarray:
        """Return the logarithms of the probabilities of each word after a state, and of the end at last."""

    def next(self, state: Any, unit: int) -> tuple[float, Any]:
        """Return the logarithm of a word's probability after a state, and the state after it."""


@dataclass(frozen=True, eq=False)
class AnyWord:
    """The model of transcripts where there is none: each word is as likely as any other."""

    num_words: int

    def start(self) -> Any:
        """Return the only state."""
        return ()

    def logs(self, state: Any) -> np.ndarray:
        """Return 0 for each word and for the end."""
        return np.zeros(self.num_words + 1)

    def next(self, state: Any, unit: int) -> tuple[float, Any]:
        """Return 0 and the only state."""
        return 0.0, ()


@dataclass(frozen=True, eq=False)
class WordNetwork:
    """The places of all ways to say all words, one behind the other, and of silence.

    Args:
        pronunciations: Of the vocabulary.
    """

    pronunciations: Pronunciations

    @cached_property
    def _ways(self) -> list[tuple[int, list[int]]]:
        said = self.pronunciations
        ways = [(word, way) for word in range(len(said.words)) for way in said.of(word)]
        return [*ways, (SILENCE, [said.silence])]

    @cached_property
    def states(self) -> np.ndarray:
        """The state of each place, int64."""
        return np.array([state for _, way in self._ways for state in way])

    @cached_property
    def words(self) -> np.ndarray:
        """The word of each way, int64; `SILENCE` for none."""
        return np.array([word for word, _ in self._ways])

    @cached_property
    def exits(self) -> np.ndarray:
        """The last place of each way, int64."""
        return np.cumsum([len(way) for _, way in self._ways]) - 1

    @cached_property
    def entries(self) -> np.ndarray:
        """The first place of each way, int64."""
        return np.concatenate([[0], self.exits[:-1] + 1])


class Search:
    """Finds the likeliest words of a recording.

    Each state of the model of transcripts has tokens of its own, one in each place of the network, so the
    search is exact but for the states that it gives up.

    Args:
        network: Of the vocabulary.
        language: The model of transcripts.
        weight: Of the model of transcripts.
        bonus: For each word.
        beams: States of the model of transcripts that are followed at once.
    """

    def __init__(
        self, network: WordNetwork, language: WordModel, weight: float, bonus: float, beams: int
    ) -> None:
        self.network = network
        self.language = language
        self.weight = weight
        self.bonus = bonus
        self.beams = beams

    def likely(self, scores: np.ndarray) -> list[Hypothesis]:
        """Return the likeliest words of a recording, best first; none where nothing fits.

        Args:
            scores: Logarithms of how likely each frame is in each state, but for a factor of its own,
                `(num_frames, num_states)`.
        """
        emitted = scores.astype(np.float64)[:, self.network.states]
        said = _Said()
        entering = {self.language.start(): (0.0, NO_TOKEN)}
        tokens = _Tokens([], np.zeros((0, emitted.shape[1])), np.zeros((0, emitted.shape[1]), np.int64))
        for emission in emitted:
            tokens = self._entered(tokens, entering, emission)
            entering = self._ended(tokens, said)
        finished = [
            Hypothesis(said.words(token), float(score + self.weight * self.language.logs(state)[-1]))
            for state, (score, token) in entering.items()
        ]
        ranked = sorted(finished, key=lambda each: -each.score)
        return ranked or [Hypothesis((), 0.0)]

    def _entered(self, tokens: _Tokens, entering: dict, emission: np.ndarray) -> _Tokens:
        """Return the tokens of the next frame: each stays, moves a place on, or enters a word."""
        states, scores, origins = self._followed(tokens, entering)
        entries, words = self.network.entries, self.network.words
        moved, moved_origins = np.roll(scores, 1, axis=1), np.roll(origins, 1, axis=1)
        moved[:, entries] = NEVER
        for row, state in enumerate(states):
            if state in entering:
                score, token = entering[state]
                gains = self.weight * self.language.logs(state)[words] + self.bonus
                moved[row, entries] = score + np.where(words == SILENCE, 0.0, gains)
                moved_origins[row, entries] = token
        better = moved > scores
        origins = np.where(better, moved_origins, origins)
        return _Tokens(states, np.where(better, moved, scores) + emission, origins)

    def _followed(self, tokens: _Tokens, entering: dict) -> tuple[list, np.ndarray, np.ndarray]:
        """Return the states that are followed, with the tokens of each in the frame before."""
        merits = dict(zip(tokens.states, tokens.scores.max(axis=1, initial=NEVER), strict=True))
        for state, (score, _) in entering.items():
            merits[state] = max(merits.get(state, NEVER), score)
        states = sorted(merits, key=lambda state: -merits[state])[: self.beams]
        rows = {state: row for row, state in enumerate(tokens.states)}
        before = np.array([rows.get(state, NO_TOKEN) for state in states])
        scores = np.full((len(states), tokens.scores.shape[1]), NEVER)
        origins = np.full(scores.shape, NO_TOKEN)
        known = before != NO_TOKEN
        scores[known], origins[known] = tokens.scores[before[known]], tokens.origins[before[known]]
        return states, scores, origins

    def _ended(self, tokens: _Tokens, said: _Said) -> dict:
        """Return the best token of each state of the model of transcripts that a word ends in."""
        ends = tokens.scores[:, self.network.exits]
        least = max(tokens.scores.max() - BEAM_WIDTH, np.finfo(np.float64).min)
        rows, ways = np.nonzero(ends > least)
        ranked = np.argsort(-ends[rows, ways], kind="stable")[:MOST_ENDS]
        ended: dict[Hashable, tuple[float, int]] = {}
        for row, way in zip(rows[ranked].tolist(), ways[ranked].tolist(), strict=True):
            state, score = tokens.states[row], float(ends[row, way])
            word = int(self.network.words[way])
            after = state if word == SILENCE else self.language.next(state, word)[1]
            if after not in ended:  # the first is the best
                token = int(tokens.origins[row, self.network.exits[way]])
                ended[after] = score, token if word == SILENCE else said.after(token, word)
        return ended


@dataclass(frozen=True, eq=False)
class _Tokens:
    """The best token in each place, of each state of the model of transcripts.

    Args:
        states: Of the model of transcripts.
        scores: Float64, `(num_states, num_places)`.
        origins: What was said before, as `_Said` counts it, int64, likewise.
    """

    states: Sequence[Hashable]
    scores: np.ndarray
    origins: np.ndarray


class _Said:
    """Words that were said one after the other, each sequence held as a word and what came before it."""

    def __init__(self) -> None:
        self.pairs: list[tuple[int, int]] = []
        self.known: dict[tuple[int, int], int] = {}

    def after(self, token: int, word: int) -> int:
        """Return the token of a word after a sequence."""
        pair = (token, word)
        if pair not in self.known:
            self.known[pair] = len(self.pairs)
            self.pairs.append(pair)
        return self.known[pair]

    def words(self, token: int) -> tuple[int, ...]:
        """Return the words of a token in order."""
        words = []
        while token != NO_TOKEN:
            token, word = self.pairs[token]
            words.append(word)
        return tuple(reversed(words))

"""From the scores of hidden states to words with their times; NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from apps.speech.hidden_markov.states import SILENCE, Pronunciations
from apps.speech.hidden_markov.token_passing import AnyWord, Search, WordModel, WordNetwork
from apps.speech.transcription.answers import answer_of
from apps.speech.transcription.decoder import NOTHING, Heard
from apps.speech.transcription.decoding import Hypothesis
from apps.speech.transcription.language import Transcribed
from apps.speech.transcription.units import Units
from core.language.viterbi import best_paths


@dataclass(frozen=True, eq=False)
class HybridDecoder:
    """Makes words of the logarithms of the probabilities of hidden states.

    Args:
        pronunciations: Of the vocabulary.
        log_prior: Of each state; a probability divided by its prior is a likelihood, but for a factor.
        frame_seconds: From one frame to the next.
        beams: States of the model of transcripts that are followed at once.
        language: The model of transcripts, with its weight and a bonus for each word.
        weight: Of the language model.
        bonus: For each word.
    """

    pronunciations: Pronunciations
    log_prior: np.ndarray
    frame_seconds: float
    beams: int
    language: WordModel | None = None
    weight: float = 0.0
    bonus: float = 0.0

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> HybridDecoder:
        """Return the one that the settings of an export describe."""
        units = Units(settings["kind"], settings["names"], settings["tokenizer"])
        order = settings["order"]
        return cls(
            Pronunciations(settings["names"], settings["lexicon"], settings["states_each"]),
            np.array(settings["log_prior"], np.float32),
            settings["frame_seconds"],
            settings["beams"],
            Transcribed(settings["transcripts"], units, order) if order else None,
            settings["language_weight"],
            settings["unit_bonus"],
        )

    @cached_property
    def _search(self) -> Search:
        language = self.language or AnyWord(len(self.pronunciations.words))
        return Search(WordNetwork(self.pronunciations), language, self.weight, self.bonus, self.beams)

    @cached_property
    def _units(self) -> Units:
        return Units("words", self.pronunciations.words)

    def _likely(self, log_p: np.ndarray) -> list[Hypothesis]:
        return self._search.likely(log_p - self.log_prior)

    def text(self, log_p: np.ndarray) -> str:
        """Return the likeliest text."""
        return self._units.text(self._likely(log_p)[0].units)

    def answer(self, log_p: np.ndarray) -> dict[str, Any]:
        """Return the text, its words with times and probabilities, and other texts that were weighed."""
        likely = self._likely(log_p)
        words = [
            {
                "word": word,
                "start": round(float(frames[0]) * self.frame_seconds, 3),
                "end": round(float(frames[-1] + 1) * self.frame_seconds, 3),
                "probability": round(float(np.exp(log_p[frames, states].mean())), 6),
            }
            for word, frames, states in self._aligned(log_p, likely[0].units)
        ]
        return answer_of(self._units, likely, words)

    def heard(self, log_p: np.ndarray) -> list[Heard]:
        """Return the words, each with its frames and the states in them; of no word, all silence."""
        ids = self._likely(log_p)[0].units
        silence = (NOTHING, np.arange(len(log_p)), np.full(len(log_p), self.pronunciations.silence))
        return self._aligned(log_p, ids) if ids else [silence]

    def _aligned(self, log_p: np.ndarray, ids: Sequence[int]) -> list[Heard]:
        graph, words = self.pronunciations.graph(ids)
        (path,) = best_paths([log_p - self.log_prior], [graph])
        if path is None or not ids:
            return []
        states, of_frames = graph.states[path], words[path]
        places = [place for place in np.unique(of_frames) if place != SILENCE]
        frames = [np.flatnonzero(of_frames == place) for place in places]
        return [
            (self.pronunciations.words[ids[place]], own, states[own])
            for place, own in zip(places, frames, strict=True)
        ]

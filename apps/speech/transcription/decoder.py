"""What makes words of the scores of frames, for tasks and for exports alike; NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from apps.speech.transcription.answers import answer_of, hypotheses, timed_words
from apps.speech.transcription.decoding import Hypothesis, LanguageModel, alignment
from apps.speech.transcription.language import Transcribed
from apps.speech.transcription.units import Units

Heard = tuple[str, np.ndarray, np.ndarray]
"""A word, the frames that it was heard in, and the column of the scores that stands for it in each."""
NOTHING = "(no word)"


class Decoder(Protocol):
    """Makes words of logarithms of probabilities, `(num_frames, num_columns)`."""

    def text(self, log_p: np.ndarray) -> str:
        """Return the likeliest text."""

    def answer(self, log_p: np.ndarray) -> dict[str, Any]:
        """Return the text, its words with times and probabilities, and other texts that were weighed."""

    def heard(self, log_p: np.ndarray) -> list[Heard]:
        """Return the words with the frames they were heard in; of no word, all frames of the silence."""


@dataclass(frozen=True, eq=False)
class CTCDecoder:
    """Makes words of the scores of units and of the blank, which is the last.

    Args:
        units: Of the transcripts.
        beams: Transcripts that are weighed at once; 1 takes the best path.
        frame_seconds: From one frame to the next.
        language: A model of transcripts, with its weight and a bonus for each unit.
        weight: Of the language model.
        bonus: For each unit.
    """

    units: Units
    beams: int
    frame_seconds: float
    language: LanguageModel | None = None
    weight: float = 0.0
    bonus: float = 0.0

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> CTCDecoder:
        """Return the one that the settings of an export describe."""
        units = Units(settings["kind"], settings["names"], settings["tokenizer"])
        order = settings["order"]
        return cls(
            units,
            settings["beams"],
            settings["frame_seconds"],
            Transcribed(settings["transcripts"], units, order) if order else None,
            settings["language_weight"],
            settings["unit_bonus"] if order else 0.0,
        )

    def _likely(self, log_p: np.ndarray) -> list[Hypothesis]:
        return hypotheses(
            log_p, self.units, self.beams, language=self.language, weight=self.weight, bonus=self.bonus
        )

    def text(self, log_p: np.ndarray) -> str:
        """Return the likeliest text."""
        return self.units.text(self._likely(log_p)[0].units)

    def answer(self, log_p: np.ndarray) -> dict[str, Any]:
        """Return the text, its words with times and probabilities, and other texts that were weighed."""
        likely = self._likely(log_p)
        words = timed_words(log_p, self.units, likely[0].units, self.frame_seconds)
        return answer_of(self.units, likely, words)

    def heard(self, log_p: np.ndarray) -> list[Heard]:
        """Return the words, each with its frames and the units in them; of no word, all blanks."""
        ids: Sequence[int] = self._likely(log_p)[0].units
        if not ids:
            return [(NOTHING, np.arange(len(log_p)), np.full(len(log_p), self.units.blank))]
        spans = alignment(log_p, ids, self.units.blank)
        words = []
        for word, first, last in self.units.words(ids):
            frames = [np.arange(start, end) for start, end in spans[first:last]]
            of_frames = [np.full(len(own), ids[first + place]) for place, own in enumerate(frames)]
            words.append((word, np.concatenate(frames), np.concatenate(of_frames)))
        return words

"""Figures of texts, each made of counts of one text that can be summed over any of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from core.answers.rows import Direction

REPEATED_ORDER = 4


class Measure(ABC):
    """How texts are judged, all together and each by itself."""

    direction: ClassVar[Direction]
    """Whether it is better small or large."""
    scale: ClassVar[float] = 1.0
    """What a text gets that lacks nothing, of measures that are better large."""
    needs_references: ClassVar[bool] = True
    """Whether a text without any reference can't be judged."""

    @abstractmethod
    def counts(self, predicted: str, references: Sequence[str]) -> np.ndarray:
        """Return what one text adds to the figure, float64, shape `(num_counts,)`."""

    @abstractmethod
    def value(self, counts: np.ndarray) -> float:
        """Return the figure of texts whose counts are summed."""

    def loss(self, counts: np.ndarray) -> float:
        """Return how bad one text is, at least 0, from its counts."""
        value = self.value(counts)
        return value if self.direction == "min" else 1 - value / self.scale

    def of_loss(self, loss: float) -> float:
        """Return the figure whose loss this is."""
        return loss if self.direction == "min" else self.scale * (1 - loss)


class Bleu(Measure):
    """BLEU, 0 to 100; that of a single text leaves out n-grams it is too short for."""

    direction = "max"
    scale = 100.0

    def counts(self, predicted: str, references: Sequence[str]) -> np.ndarray:
        """Return the lengths, matches and n-grams of a text."""
        from core.metrics.translation import bleu_counts  # which imports Keras

        return bleu_counts(predicted, references)

    def value(self, counts: np.ndarray) -> float:
        """Return BLEU of all texts."""
        from core.metrics.translation import bleu_of

        return bleu_of(counts)

    def loss(self, counts: np.ndarray) -> float:
        """Return what the BLEU of one text lacks."""
        from core.metrics.translation import bleu_of

        return 1 - bleu_of(counts, effective_order=True) / self.scale


class ChrF(Measure):
    """ChrF, 0 to 100."""

    direction = "max"
    scale = 100.0

    def counts(self, predicted: str, references: Sequence[str]) -> np.ndarray:
        """Return the n-grams of characters of a text, of its reference, and of both."""
        from core.metrics.translation import chrf_counts

        return chrf_counts(predicted, references)

    def value(self, counts: np.ndarray) -> float:
        """Return chrF of all texts."""
        from core.metrics.translation import chrf_of

        return chrf_of(counts)


class ErrorRate(Measure):
    """Edits by the length of the references; of several, the one that is nearest counts."""

    direction = "min"

    def __init__(self, *, characters: bool) -> None:
        self.characters = characters

    def counts(self, predicted: str, references: Sequence[str]) -> np.ndarray:
        """Return the edits and the length of the reference."""
        from core.metrics.transcription import edit_distance

        said, *written = (
            text.strip() if self.characters else text.split() for text in (predicted, *references)
        )
        pairs = [(edit_distance(each, said), len(each)) for each in written]
        return np.array(min(pairs, key=lambda pair: pair[0] / max(pair[1], 1)), np.float64)

    def value(self, counts: np.ndarray) -> float:
        """Return edits by length; where there is nothing to say, each edit counts as one."""
        return float(counts[0] / max(counts[1], 1))


class ExactMatch(Measure):
    """The share of texts that are one of their references, but for blanks."""

    direction = "max"

    def counts(self, predicted: str, references: Sequence[str]) -> np.ndarray:
        """Return whether a text is right, and 1."""
        return np.array([predicted.split() in [each.split() for each in references], 1], np.float64)

    def value(self, counts: np.ndarray) -> float:
        """Return the share that is right."""
        return float(counts[0] / counts[1])


class Repetition(Measure):
    """The share of runs of four words that their text holds already; it needs no reference."""

    direction = "min"
    needs_references = False

    def counts(self, predicted: str, references: Sequence[str]) -> np.ndarray:
        """Return the runs that stand there again, and all runs."""
        words = predicted.split()
        runs = [
            tuple(words[place : place + REPEATED_ORDER]) for place in range(len(words) - REPEATED_ORDER + 1)
        ]
        return np.array([len(runs) - len(set(runs)), len(runs)], np.float64)

    def value(self, counts: np.ndarray) -> float:
        """Return the share that stands there again."""
        return float(counts[0] / max(counts[1], 1))


MEASURES: dict[str, Measure] = {
    "bleu": Bleu(),
    "chrf": ChrF(),
    "word_error_rate": ErrorRate(characters=False),
    "character_error_rate": ErrorRate(characters=True),
    "exact_match": ExactMatch(),
    "repetition": Repetition(),
}

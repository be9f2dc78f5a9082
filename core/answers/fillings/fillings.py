"""Words that were masked in texts beside what a model fills in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.kind import Answers
from core.answers.rows import Direction
from core.shown import Item, Mark

if TYPE_CHECKING:
    from core.answers.calibration import Calibration

MOST_WORDS = 12
RIGHT, WRONG = 1, 0  # tones of marks


class Fillings(Answers):
    """What a model fills into the masked places of texts, and what the true words cost it.

    A row is a text with its `masks`, at least one, each with `start` and `end` in characters of the `text`,
    what is `true` and `predicted`, whether that is `right`, and in `nats` the negative logarithm of the
    probability of what is true. All figures are of masks, not of texts, and only models that mask the same
    sub-words are compared by them.

    Args:
        texts: With what is true.
        masks: Of each text.

    Example:

    >>> mask = {"start": 0, "end": 1, "true": "a", "predicted": "a", "right": True, "nats": math.log(4)}
    >>> figures = Fillings.from_rows([{"text": "a b", "masks": [mask]}]).statistics(np.arange(1))
    >>> {name: round(value, 3) for name, value in figures.items()}
    {'masked_loss': 1.386, 'perplexity': 4.0, 'masked_accuracy': 1.0}
    """

    kind: ClassVar[str] = "fillings"
    mistakes_title: ClassVar[str] = "The texts whose masked words are least likely to the model"
    figures: ClassVar[Mapping[str, Direction]] = {
        "masked_loss": "min",
        "perplexity": "min",
        "masked_accuracy": "max",
    }

    def __init__(self, texts: Sequence[str], masks: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        self.texts = list(texts)
        self.masks = [list(each) for each in masks]
        # Of each text: the nats, how many are right, and how many masks there are.
        self._sums = np.array(
            [
                [sum(mask["nats"] for mask in own), sum(mask["right"] for mask in own), len(own)]
                for own in self.masks
            ],
            np.float64,
        )

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Fillings:
        """Read rows with `text` and `masks`."""
        table = [(row["text"], row["masks"]) for row in rows]
        return cls([text for text, _ in table], [masks for _, masks in table])

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def truth(self) -> np.ndarray:
        """Each text with what is masked: two runs can be paired where these are equal."""
        return np.asarray(
            [
                text + "\n" + " ".join(f"{mask['start']}-{mask['end']}" for mask in masks)
                for text, masks in zip(self.texts, self.masks, strict=True)
            ]
        )

    @cached_property
    def losses(self) -> np.ndarray:
        """The mean cost of the masks of each text, in nats."""
        return self._sums[:, 0] / self._sums[:, 2]

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the mean of nats over texts."""
        return mean_loss

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the masks of the texts at these indices, each as often as it stands there."""
        nats, right, count = self._sums[rows].sum(axis=0)
        mean = float(nats / count)
        return {
            "masked_loss": mean,
            "perplexity": math.exp(min(mean, 700.0)),
            "masked_accuracy": float(right / count),
        }

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the texts whose masks cost most, worst first."""
        wrong = np.flatnonzero(self._sums[:, 1] < self._sums[:, 2])
        return wrong[np.argsort(-self.losses[wrong], kind="stable")[:count]]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report: the most frequent words, and those taken for others."""
        masks = [mask for own in self.masks for mask in own]
        counts = Counter(mask["true"] for mask in masks)
        right = Counter(mask["true"] for mask in masks if mask["right"])
        mistaken = Counter((mask["true"], mask["predicted"]) for mask in masks if not mask["right"])
        return {
            "texts": len(self),
            "masks": len(masks),
            "right": sum(right.values()),
            "words": [
                {"word": word, "masks": count, "accuracy": right[word] / count}
                for word, count in counts.most_common(MOST_WORDS)
            ],
            "mistaken": [
                {"true": true, "predicted": predicted, "masks": count}
                for (true, predicted), count in mistaken.most_common(MOST_WORDS)
            ],
        }

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the text with what was masked marked, each that is wrong with what was filled in."""
        marks = tuple(
            Mark(
                mask["start"],
                mask["end"],
                "" if mask["right"] else mask["predicted"].strip() or "a blank",
                RIGHT if mask["right"] else WRONG,
            )
            for mask in row["masks"]
            if mask["end"] > mask["start"]
        )
        return [Item("text", "marked", row["text"], marks), Item("answer", "text", cls.said(row))]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return how many masks of one text are filled rightly, and what they cost."""
        masks = row["masks"]
        right = sum(mask["right"] for mask in masks)
        nats = sum(mask["nats"] for mask in masks) / len(masks)
        return f"{right} of {len(masks)} filled rightly, {nats:.3f} nats a mask"

"""Texts that were written on, by models that say how likely each true text is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.rows import Direction
from core.answers.texts.differences import faults_of
from core.answers.texts.measures import MEASURES
from core.answers.texts.texts import Texts

if TYPE_CHECKING:
    from core.answers.calibration import Calibration

COSTS = ("nats", "tokens", "bytes")


class Continuations(Texts):
    """What was written on after the beginnings of true texts, and what the true texts cost the model.

    A row has what `Texts` have, of which `source` is the beginning, and of the true text, beginning included:
    its cost in `nats`, the negative logarithm of its probability, and its number of `tokens` and of `bytes`
    in UTF-8. Models with different tokens are compared by bits a byte.

    Args:
        predicted: One text an example.
        references: Those of people, of each example.
        sources: What each goes on from.
        costs: Nats, tokens and bytes of the true texts, float64, shape `(num_examples, 3)`.

    Example:

    >>> row = {"source": "a", "true": ["b"], "predicted": "c"}
    >>> costs = {"nats": 2 * math.log(4), "tokens": 2, "bytes": 2}
    >>> figures = Continuations.from_rows([{**row, **costs}]).statistics(np.arange(1))
    >>> {name: round(value, 3) for name, value in figures.items()}
    {'bits_per_byte': 2.0, 'nats': 1.386, 'perplexity': 4.0, 'repetition': 0.0}
    """

    mistakes_title: ClassVar[str] = "The texts that are least likely to the model"
    figures: ClassVar[Mapping[str, Direction]] = {
        "bits_per_byte": "min",
        "nats": "min",
        "perplexity": "min",
        "repetition": "min",
    }

    def __init__(
        self,
        predicted: Sequence[str],
        references: Sequence[Sequence[str]],
        sources: Sequence[str | None],
        costs: np.ndarray,
    ) -> None:
        super().__init__(predicted, references, sources)
        self.costs = np.asarray(costs, np.float64).reshape(len(predicted), len(COSTS))

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Continuations:
        """Read rows with `true`, `predicted`, `source`, `nats`, `tokens` and `bytes`."""
        table = list(rows)
        return cls(
            [row["predicted"] for row in table],
            [row["true"] for row in table],
            [row.get("source") for row in table],
            np.array([[row[name] for name in COSTS] for row in table]),
        )

    @cached_property
    def losses(self) -> np.ndarray:
        """What each true text costs, in bits a byte."""
        return self.costs[:, 0] / math.log(2) / np.maximum(self.costs[:, 2], 1)

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the mean of bits a byte over texts."""
        return mean_loss

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the texts at these indices, each as often as it stands there."""
        nats, tokens, num_bytes = self.costs[rows].sum(axis=0)
        mean = float(nats / max(tokens, 1))
        return {
            "bits_per_byte": float(nats / math.log(2) / max(num_bytes, 1)),
            "nats": mean,
            "perplexity": math.exp(min(mean, 700.0)),
            **super().statistics(rows),
        }

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data; of losses, those from 0 to the largest."""
        largest = float(self.losses.max(initial=1e-9))
        counts = np.histogram(self.losses, bins=20, range=(0, largest))[0].tolist()
        return {**super().details(calibration), "losses": counts, "largest_loss": largest}

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return what one text costs, and what is wrong at a glance with what was written."""
        bits = row["nats"] / math.log(2) / max(row["bytes"], 1)
        repetition = MEASURES["repetition"]
        repeated = repetition.value(repetition.counts(row["predicted"], ()))
        faults = faults_of(row["predicted"], row["true"], None)
        return ", ".join([f"{bits:.3f} bits a byte", f"repetition {repeated:.3f}", *faults])

"""Replies of models that say how likely each true reply is, among others too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from core.answers.rows import Direction
from core.answers.texts.continuations import Continuations
from core.answers.texts.measures import MEASURES

CHOSEN = (1, 10)  # of how many replies a hit is one


class Replies(Continuations):
    """What was replied, what the true replies cost the model, and where it ranks them among others.

    A row has what `Continuations` have, of which `source` is the dialogue before and the costs are those of
    the true reply alone; and the `rank` of the true reply among the `candidates`, so many replies, from 1, or
    nothing where it was not ranked.

    Example:

    >>> row = {"source": "Hi", "true": ["Hello"], "predicted": "Hello", "candidates": 100}
    >>> rows = [{**row, "nats": 2 * math.log(4), "tokens": 2, "bytes": 5, "rank": rank} for rank in (1, 7)]
    >>> {name: round(value, 3) for name, value in Replies.from_rows(rows).statistics(np.arange(2)).items()}
    {'perplexity': 4.0, 'bits_per_byte': 0.8, 'hits_at_1': 0.5, 'hits_at_10': 1.0, 'chrf': 100.0}
    """

    mistakes_title: ClassVar[str] = "The replies that are least likely to the model"
    figures: ClassVar[Mapping[str, Direction]] = {
        "perplexity": "min",
        "bits_per_byte": "min",
        "hits_at_1": "max",
        "hits_at_10": "max",
        "chrf": "max",
    }
    ranks: np.ndarray
    """Of each true reply, from 1, float64, not a number where it was not ranked."""

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Replies:
        """Read rows with what `Continuations` have, and `rank`."""
        table = list(rows)
        replies = super().from_rows(table)
        assert isinstance(replies, cls)
        replies.ranks = np.array([row.get("rank") or math.nan for row in table], np.float64)
        return replies

    @cached_property
    def losses(self) -> np.ndarray:
        """What each true reply costs, in nats a token."""
        return self.costs[:, 0] / np.maximum(self.costs[:, 1], 1)

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the perplexity of a mean of nats a token."""
        return math.exp(min(mean_loss, 700.0))

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the replies at these indices; of hits, where any reply was ranked."""
        figures = super().statistics(rows)
        ranks = self.ranks[rows][~np.isnan(self.ranks[rows])]
        if not np.isnan(self.ranks).all():
            figures |= {
                f"hits_at_{count}": float(np.mean(ranks <= count)) if len(ranks) else math.nan
                for count in CHOSEN
            }
        return {name: figures[name] for name in self.figures if name in figures}

    def details(self, calibration: Any = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        return {**super().details(calibration), "loss_unit": "nats a token"}

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return what the true reply costs, its place among others, and how near the written one is."""
        parts = [f"perplexity {cls.of_loss(row['nats'] / max(row['tokens'], 1)):.1f}"]
        if row.get("rank"):
            parts.append(f"true reply in place {row['rank']} of {row['candidates']}")
        measure = MEASURES["chrf"]
        parts.append(f"chrf {measure.value(measure.counts(row['predicted'], row['true'])):.1f}")
        return ", ".join(parts)

"""Which titles of a history speak for the candidate that stands first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.articles.answers import Asked
from apps.recommendation.articles.reader import Reader
from apps.recommendation.factors.explanations import Past, explained
from core.data.examples import Ragged
from core.task.attribution import occlusion

if TYPE_CHECKING:
    from core.task.explanation import Explanation


@dataclass(frozen=True)
class _Titles:
    """Names titles by their numbers."""

    titles: list[str]

    def item_name(self, item: int) -> dict[str, str]:
        """Return a title, which is its own name."""
        return {"item": self.titles[item]}


def explained_order(reader: Reader, asked: Asked, answer: dict[str, Any]) -> Explanation:
    """Return how much lower the first candidate would score without each title, as if never clicked.

    Args:
        reader: Of a trained net.
        asked: One input.
        answer: What `predict` says of it.
    """
    history, candidates = asked.impressions.history[0], asked.impressions.candidates[0]
    vectors = reader.titles(asked.tokens)
    [scores] = reader.scores(asked.tokens, asked.impressions)
    best = vectors[candidates[np.argmax(scores)]]

    def score(kept: np.ndarray) -> np.ndarray:
        rows = [history[np.asarray(row) > 0] for row in kept]
        return reader.people(vectors, Ragged.from_rows(rows, np.int32)) @ best

    whole = np.ones(len(history), np.float32)
    adds = occlusion(score, whole, np.zeros_like(whole), np.eye(len(history), dtype=bool))
    past = Past(history, score, adds, "occlusion", float(scores.max()))
    target = answer["recommendations"][0]["title"]
    return explained(past, answer, target, _Titles(asked.titles), "titles of the history")

"""The cheap strong rivals of a net that reads histories: what is popular, alike, or has followed before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.histories.encoder import Histories
from apps.recommendation.histories.memory import Followed
from apps.recommendation.histories.scoring import latest

if TYPE_CHECKING:
    from apps.recommendation.catalogue.judging import ScoreUsers

NEIGHBOURS, SHRINKAGE = 200, 20.0  # as of the rankings' rival

Rival = Callable[[Histories], "ScoreUsers"]
"""From histories to the function from numbers of people, from 1, to their scores of all items."""


def popularity(counts: np.ndarray) -> Rival:
    """Return the rival that recommends to everybody what most have chosen."""
    return lambda histories: lambda people: np.broadcast_to(counts, (len(people), len(counts)))


def item_neighbours(train: Histories) -> Rival:
    """Return the rival that adds up, over a history, the cosines of its items with their neighbours."""
    from apps.recommendation.linear.model import scores_of
    from apps.recommendation.linear.neighbours import ItemNeighbours
    from apps.recommendation.linear.weights import strongest_rows

    weights = ItemNeighbours(train.choices(), "cosine", SHRINKAGE)
    items = np.arange(1, train.num_items)
    rows = strongest_rows(weights, items, train.num_items, min(NEIGHBOURS, train.num_items))
    return lambda histories: scores_of(histories.seen(), rows)


def followers(followed: Followed, length: int) -> Rival:
    """Return the rival that recommends what has followed the last items of a history most often.

    Args:
        followed: What has followed each item in training.
        length: How many of the last items are read.
    """

    def rival(histories: Histories) -> ScoreUsers:
        read = latest(histories.before, length)

        def scores(people: np.ndarray) -> np.ndarray:
            own = read.take(people - 1)
            return followed.after(own.values, own.offsets)

        return scores

    return rival


def ease(train: Histories, penalties: Sequence[float], judged: Callable[[Rival], float]) -> Rival:
    """Return the linear rival that predicts each item from all others, in closed form.

    Args:
        train: What it learns from.
        penalties: Ridge penalties on the weights, above 0, to choose from.
        judged: From a rival to a figure that should be large.
    """
    from apps.recommendation.linear.ease import best_ease

    def rival(scores: Callable[[Any], np.ndarray]) -> Rival:
        def of_histories(histories: Histories) -> ScoreUsers:
            seen = histories.seen()
            return lambda people: scores(seen[people])

        return of_histories

    return rival(best_ease(train.choices(), penalties, lambda scores: judged(rival(scores))).scores)

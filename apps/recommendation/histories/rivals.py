"""The cheap strong rivals of a net that reads histories: what is popular, alike, or has followed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

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


def ease(train: Histories, penalty: float, most_items: int) -> Rival:
    """Return the linear rival that predicts each item from all others, in closed form.

    Args:
        train: What it learns from.
        penalty: Ridge penalty on the weights, above 0.
        most_items: Of a larger catalogue the most chosen items alone take part; the rest score 0.
    """
    from apps.recommendation.linear.ease import Ease

    linear = Ease(train.choices(), penalty, most_items)

    def rival(histories: Histories) -> ScoreUsers:
        seen = histories.seen()[:, linear.items]

        def scores(people: np.ndarray) -> np.ndarray:
            found = np.zeros((len(people), histories.num_items), np.float32)
            found[:, linear.items] = seen[people] @ linear.weights
            return found

        return scores

    return rival

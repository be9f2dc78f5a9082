"""The cheap strong rivals of a net that reads histories: what is popular, alike, or has followed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.histories.encoder import Histories
from core.data.examples import Ragged

if TYPE_CHECKING:
    from apps.recommendation.catalogue.judging import ScoreUsers

NEIGHBOURS, SHRINKAGE = 200, 20.0  # as of the rankings' rival
FARTHEST = 10  # steps, up to which an item has followed another
FADING = 0.5  # how much less each item counts than the one that was chosen after it

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


def followers(train: Histories) -> Rival:
    """Return the rival that recommends what has followed the last items of a history most often.

    An item that came `d` steps after another counts `1 / d`; of a history the last item counts most.

    Reference:
        Ludewig and Jannach, 2018, Evaluation of Session-based Recommendation Algorithms, section 3.1
        (sequential rules), here with all items of a history
    """
    table = _followed(train.whole(), train.num_items)

    def rival(histories: Histories) -> ScoreUsers:
        fading = _fading(histories.before, histories.num_items)
        return lambda people: (fading[people - 1] @ table).toarray()

    return rival


def _followed(rows: Ragged, num_items: int) -> Any:
    """Return how much each item has followed each other, sparse, from items of the rows to the columns."""
    from scipy.sparse import csr_array

    table: Any = csr_array((num_items, num_items), dtype=np.float32)
    people = np.repeat(np.arange(len(rows)), rows.lengths)
    for distance in range(1, FARTHEST + 1):
        same = people[distance:] == people[:-distance]
        first, then = rows.values[:-distance][same], rows.values[distance:][same]
        share = np.full(len(first), 1 / distance, np.float32)
        table = table + csr_array((share, (first, then)), shape=table.shape)
    return table


def _fading(rows: Ragged, num_items: int) -> Any:
    """Return each person's items, sparse, where an item counts the less, the longer ago it was chosen."""
    from scipy.sparse import csr_array

    people = np.repeat(np.arange(len(rows)), rows.lengths)
    ago = rows.offsets[1:][people] - 1 - np.arange(len(rows.values))
    share = (FADING ** np.minimum(ago, 60)).astype(np.float32)
    return csr_array((share, (people, rows.values)), shape=(len(rows), num_items))


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

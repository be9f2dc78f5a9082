"""Figures of ratings and of rankings, block by block: nothing of users by items is ever held whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.catalogue.best_items import best_items
from apps.recommendation.catalogue.interactions import UNKNOWN, Interactions, padded

if TYPE_CHECKING:
    from core.answers.rows import Figures

RATING_BLOCK = 65_536
SCORES_IN_BLOCK = 2**22
TOP = 10  # the length of the lists that are judged

ScoreUsers = Callable[[np.ndarray], np.ndarray]
"""From users, shape `(block,)`, to their scores of all items, float32, shape `(block, num_items)`."""
ScorePairs = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From users and items, shape `(block,)` each, to scores, shape `(block,)`."""


def rating_figures(
    score: ScorePairs, data: Interactions, each: Callable[[slice, np.ndarray], None] | None = None
) -> Figures:
    """Return the root of the mean squared error and the mean absolute error.

    Args:
        score: What is judged.
        data: The true ratings, at least one.
        each: Called with the place of every block of ratings and what was predicted.
    """
    squared = absolute = 0.0
    for start in range(0, len(data), RATING_BLOCK):
        block = slice(start, start + RATING_BLOCK)
        predicted = score(data.users[block], data.items[block])
        error = predicted.astype(np.float64) - data.ratings[block]
        squared += float(error @ error)
        absolute += float(np.abs(error).sum())
        if each is not None:
            each(block, predicted)
    return {"rmse": (squared / len(data)) ** 0.5, "mae": absolute / len(data)}


@dataclass(frozen=True, eq=False)
class Ranking:
    """The best items of a block of users.

    Args:
        users: int32, shape `(block,)`.
        items: Best first, shape `(block, top)`; `UNKNOWN` where there are no more.
        scores: Theirs, of the same shape.
    """

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray


def rankings(score: ScoreUsers, users: np.ndarray, seen: Any, top: int = TOP) -> Iterator[Ranking]:
    """Yield the best items that each user has not seen, out of the whole catalogue.

    Args:
        score: What ranks.
        users: int32, shape `(num_users,)`.
        seen: Sparse rows of users by items, as from `Interactions.matrix`.
        top: How many items, at least 1.
    """
    for block, scores in _unseen_scores(score, users, seen):
        best, found = best_items(scores, top)
        yield Ranking(block, np.where(np.isfinite(found), best, UNKNOWN), found)


def judged_users(data: Interactions) -> np.ndarray:
    """Return the known users who have items to be found."""
    return np.unique(data.users[data.users != UNKNOWN])


def ranking_figures(
    score: ScoreUsers,
    data: Interactions,
    seen: Any,
    most_users: int | None = None,
    cutoffs: Sequence[int] = (),
) -> Figures:
    """Return HitRate, NDCG, MRR and Recall at 10 over the whole catalogue, means over the known users.

    An item that training never saw can't be found, and counts as missed.

    Args:
        score: What is judged.
        data: The items that should be found.
        seen: Sparse rows of users by items, which are left out of the ranking.
        most_users: Judge the first so many alone.
        cutoffs: Other lengths of the lists to give the same figures at.
    """
    from core.metrics import NDCG, HitRate, MeanReciprocalRank, RecallAtK

    lengths = dict.fromkeys((TOP, *cutoffs))
    kinds = (NDCG, HitRate, MeanReciprocalRank, RecallAtK)
    metrics = [kind(length) for length in lengths for kind in kinds]
    most = max(lengths)
    users = judged_users(data)[:most_users]
    by_user = data.items_by_user()
    for block, scores in _unseen_scores(score, users, seen):
        items, mask = padded(by_user.take(block))
        relevant = np.where(mask, np.take_along_axis(scores, items, axis=1), -np.inf)
        np.put_along_axis(scores, items, -np.inf, axis=1)  # the padding is item 0, which is there already
        # Besides the relevant items, no more than the best others can be among the best.
        others = -np.partition(-scores, min(most, scores.shape[1]) - 1, axis=1)[:, :most]
        y_true = np.concatenate([np.zeros(others.shape, np.float32), mask], axis=1)
        for metric in metrics:
            metric.update_state(y_true, np.concatenate([others, relevant], axis=1))
    return {**{metric.name: float(metric.result()) for metric in metrics}, "users": len(users)}


def _unseen_scores(
    score: ScoreUsers, users: np.ndarray, seen: Any
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of users and their scores, minus infinity for the unknown item and what they have seen."""
    size = max(SCORES_IN_BLOCK // seen.shape[1], 1)
    for start in range(0, len(users), size):
        block = users[start : start + size]
        scores = np.array(score(block), np.float32)
        scores[:, UNKNOWN] = -np.inf
        scores[seen[block].nonzero()] = -np.inf
        yield block, scores


def pairs_of(score: ScoreUsers, num_items: int) -> ScorePairs:
    """Return the function from pairs to scores, by the scores of all items for the users among them."""

    def scores(users: np.ndarray, items: np.ndarray) -> np.ndarray:
        found = np.empty(len(users), np.float32)
        each, place = np.unique(users, return_inverse=True)
        size = max(SCORES_IN_BLOCK // num_items, 1)
        for start in range(0, len(each), size):
            rows = (place >= start) & (place < start + size)
            found[rows] = score(each[start : start + size])[place[rows] - start, items[rows]]
        return found

    return scores

"""The cheap strong rivals of a recommender: biases, neighbours, popularity, and the linear EASE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.catalogue.judging import ScorePairs, ScoreUsers
from apps.recommendation.linear.ease import best_ease

BLOCK_ITEMS = 512


def fitted_biases(
    data: Interactions, mean: float, user_penalty: float = 15.0, item_penalty: float = 10.0, sweeps: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each user and item lies above the mean, drawn towards 0 where there are few ratings.

    Args:
        data: Ratings.
        mean: Theirs.
        user_penalty: As many imagined ratings without bias each user gets.
        item_penalty: Likewise.
        sweeps: Alternations.

    Returns:
        Biases of the users, float64, shape `(num_users,)`, and of the items.

    Reference:
        Koren, 2010, Factor in the Neighbors, on baseline estimates; penalties as in the Surprise library
    """
    above, users, items = data.ratings - mean, data.users, data.items
    user_counts = np.bincount(users, minlength=data.num_users) + user_penalty
    item_counts = np.bincount(items, minlength=data.num_items) + item_penalty
    user_bias = np.zeros(data.num_users)
    item_bias = np.zeros(data.num_items)
    for _ in range(sweeps):
        item_bias = np.bincount(items, above - user_bias[users], data.num_items) / item_counts
        user_bias = np.bincount(users, above - item_bias[items], data.num_users) / user_counts
    return user_bias, item_bias


def biases_only(data: Interactions, mean: float) -> ScorePairs:
    """Return the rival that knows nothing but how users rate and how items are rated."""
    user_bias, item_bias = fitted_biases(data, mean)
    return lambda users, items: mean + user_bias[users] + item_bias[items]


def item_neighbours(
    data: Interactions, mean: float, num_neighbours: int = 40, shrinkage: float = 100.0
) -> ScorePairs:
    """Return the rival that looks at how the user rated the most similar items, above the biases.

    Similarity is the correlation of what is left above the biases, drawn towards 0 where few rated both.

    Reference:
        Koren, 2010, Factor in the Neighbors, on neighbourhood models
    """
    from scipy.sparse import csr_array

    user_bias, item_bias = fitted_biases(data, mean)
    above = data.ratings - mean - user_bias[data.users] - item_bias[data.items]
    shape = (data.num_users, data.num_items)
    residuals = csr_array((above.astype(np.float32), (data.users, data.items)), shape)
    rated = csr_array((np.ones(len(above), np.float32), (data.users, data.items)), shape)
    by_item, squares = residuals.T.tocsr(), residuals**2
    rated_by_item, squares_by_item = rated.T.tocsr(), squares.T.tocsr()

    def similarity(items: np.ndarray) -> np.ndarray:
        common = (rated_by_item[items] @ rated).toarray()
        # The lengths of both items' residuals over the users that they share.
        lengths = np.sqrt(
            (squares_by_item[items] @ rated).toarray() * (rated_by_item[items] @ squares).toarray()
        )
        cosine = (by_item[items] @ residuals).toarray() / np.maximum(lengths, 1e-9)
        weights = cosine * common / (common + shrinkage)
        weights[np.arange(len(items)), items] = 0.0
        return np.maximum(weights, 0.0)

    def score(users: np.ndarray, items: np.ndarray) -> np.ndarray:
        scores = mean + user_bias[users] + item_bias[items]
        order = np.argsort(items, kind="stable")
        wanted = np.unique(items)
        for start in range(0, len(wanted), BLOCK_ITEMS):
            block = wanted[start : start + BLOCK_ITEMS]
            first, end = np.searchsorted(items[order], [block[0], block[-1] + 1])
            pairs = order[first:end]
            weights = similarity(block)
            scores[pairs] += _weighted_mean(
                residuals[users[pairs]], weights, np.searchsorted(block, items[pairs]), num_neighbours
            )
        return scores

    return score


def _weighted_mean(residuals: Any, weights: np.ndarray, rows: np.ndarray, num_neighbours: int) -> np.ndarray:
    """Return the mean of each sparse row's values under its row of weights, of the largest weights alone."""
    lengths = np.diff(residuals.indptr)
    pairs = np.repeat(np.arange(len(lengths)), lengths)
    weight = weights[rows[pairs], residuals.indices]
    order = np.lexsort((-weight, pairs))
    place = np.arange(len(order)) - np.repeat(residuals.indptr[:-1], lengths)
    nearest = order[place < num_neighbours]
    total = np.bincount(pairs[nearest], weight[nearest] * residuals.data[nearest], len(lengths))
    return total / np.maximum(np.bincount(pairs[nearest], weight[nearest], len(lengths)), 1e-9)


def popularity(data: Interactions) -> ScoreUsers:
    """Return the rival that recommends to everybody what most have rated."""
    counts = np.bincount(data.items, minlength=data.num_items).astype(np.float32)
    return lambda users: np.broadcast_to(counts, (len(users), len(counts)))


def similar_items(data: Interactions, num_neighbours: int = 200, shrinkage: float = 20.0) -> ScoreUsers:
    """Return the rival that adds up, over the items seen, the cosines with their nearest neighbours.

    Reference:
        Deshpande and Karypis, 2004, Item-Based Top-N Recommendation Algorithms
    """
    from scipy.sparse import csr_array, vstack

    seen = data.matrix()
    by_item, counts = seen.T.tocsr(), np.bincount(data.items, minlength=data.num_items)
    kept = []
    for start in range(0, data.num_items, BLOCK_ITEMS):
        block = np.arange(start, min(start + BLOCK_ITEMS, data.num_items))
        common = (by_item[block] @ seen).toarray()
        cosine = common / (np.sqrt(np.outer(counts[block], counts)) + shrinkage)
        cosine[np.arange(len(block)), block] = 0.0
        if num_neighbours < data.num_items:
            least = np.partition(cosine, -num_neighbours, axis=1)[:, -num_neighbours, None]
            cosine[cosine < least] = 0.0
        kept.append(csr_array(cosine.astype(np.float32)))
    similarity = vstack(kept).T.tocsr()
    return lambda users: (seen[users] @ similarity).toarray()


def ease(data: Interactions, penalties: Sequence[float], judged: Callable[[ScoreUsers], float]) -> ScoreUsers:
    """Return the linear rival that predicts each item from all others, in closed form.

    Args:
        data: What users have seen.
        penalties: Ridge penalties on the weights, above 0, to choose from.
        judged: From scores to a figure that should be large.

    Reference:
        Steck, 2019, Embarrassingly Shallow Autoencoders for Sparse Data, https://arxiv.org/abs/1905.03375
    """
    seen = data.matrix()
    best = best_ease(data, penalties, lambda scores: judged(lambda users: scores(seen[users])))
    return lambda users: best.scores(seen[users])

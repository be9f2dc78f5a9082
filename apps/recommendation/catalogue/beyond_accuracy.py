"""What recommendations are like, found or not: of how many items, how rare, and how popular."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.catalogue.judging import TOP

if TYPE_CHECKING:
    from core.answers.rows import Figures


def beyond_accuracy(recommended: np.ndarray, chosen: np.ndarray, num_users: int) -> Figures:
    """Return coverage, novelty and popularity of all lists together.

    Coverage is the share of the catalogue that is recommended to anybody. Novelty is the mean, over all that
    is recommended, of the bits that it tells: minus the logarithm to 2 of the share of users who chose the
    item in training. Popularity is how often training chose what is recommended, by how often it chose what
    people choose: above 1, popular items are recommended more than people choose them.

    Args:
        recommended: How often each known item stands in a list, shape `(num_items,)`.
        chosen: How often training chose it, at least once, likewise.
        num_users: Whom training saw.

    Returns:
        Three figures; none where nothing is recommended.

    Reference:
        Vargas and Castells, 2011, Rank and Relevance in Novelty and Diversity Metrics for Recommender
        Systems; Abdollahpouri et al., 2019, The Unfairness of Popularity Bias in Recommendation

    Example:

    >>> beyond_accuracy(np.array([2, 2, 0]), np.array([2, 1, 1]), num_users=2)["novelty@10"]
    0.5
    """
    total = recommended.sum()
    if not total:
        return {}
    bits = np.log2(num_users / np.minimum(chosen, num_users))
    usual = (chosen.astype(np.float64) ** 2).sum() / chosen.sum()
    return {
        f"coverage@{TOP}": float((recommended > 0).mean()),
        f"novelty@{TOP}": float((recommended * bits).sum() / total),
        f"popularity@{TOP}": float((recommended * chosen).sum() / total / usual),
    }

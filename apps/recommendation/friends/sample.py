"""The sample of social recommendation: MovieLens 100K, with links made from ratings that are set aside."""

from __future__ import annotations

import numpy as np

from apps.recommendation.friends.links import Links
from core.data.examples import Examples

ASIDE = 0.3  # of the ratings, which only make the links
LINKS_OF_ONE = 5
SHRINKAGE = 10.0  # films rated by both, of which half of an agreement is believed
NOTE = (
    "the links of the sample are made, and nobody's word: each person trusts the five whose taste "
    "agrees most with theirs on 30% of the ratings, which are set aside and neither train nor test"
)


def ratings_and_links() -> tuple[Examples, Links]:
    """Return ratings of MovieLens 100K, and links between people whose taste agrees on the others of them."""
    from core.data.samples import movielens_100k

    ratings, _ = movielens_100k()
    aside = np.random.default_rng(0).random(len(ratings)) < ASIDE
    links = links_of_taste(ratings.take(np.flatnonzero(aside)))
    return ratings.take(np.flatnonzero(~aside)), links


def links_of_taste(ratings: Examples, num_links: int = LINKS_OF_ONE) -> Links:
    """Return links from each person to those whose ratings lie most alike above what is usual.

    Args:
        ratings: Columns `user`, `item` and `rating`.
        num_links: Of each person, at most.
    """
    from scipy.sparse import csr_array

    from apps.recommendation.catalogue.interactions import Interactions
    from apps.recommendation.rivals import fitted_biases

    names, users = np.unique(ratings["user"], return_inverse=True)
    titles, items = np.unique(ratings["item"], return_inverse=True)
    data = Interactions(users, items, ratings["rating"], len(names), len(titles))
    mean = float(ratings["rating"].mean())
    user_bias, item_bias = fitted_biases(data, mean)
    above = ratings["rating"] - mean - user_bias[users] - item_bias[items]
    residuals = csr_array((above, (users, items)), (len(names), len(titles)))
    rated = csr_array((np.ones(len(above)), (users, items)), (len(names), len(titles)))
    common = (rated @ rated.T).toarray()
    squares = (residuals**2 @ rated.T).toarray()
    alike = (residuals @ residuals.T).toarray() / np.maximum(np.sqrt(squares * squares.T), 1e-9)
    alike *= common / (common + SHRINKAGE)
    np.fill_diagonal(alike, 0.0)
    best = np.argsort(-alike, axis=1, kind="stable")[:, :num_links]
    person = np.repeat(np.arange(len(names)), best.shape[1])
    agrees = alike[person, best.ravel()] > 0
    return Links(names[person[agrees]].astype(object), names[best.ravel()[agrees]].astype(object))

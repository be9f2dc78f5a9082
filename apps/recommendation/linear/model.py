"""A linear recommender as two towers: what a user chose, what speaks for an item, and their product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from apps.recommendation.catalogue.judging import ScorePairs, ScoreUsers
from apps.recommendation.factors.layers import SeenItems
from apps.recommendation.factors.towers import ITEM_TOWER, USER_TOWER, seen_layer, two_towers
from apps.recommendation.linear.layers import ChosenItems, ItemToItem

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from apps.recommendation.catalogue.answers import ScoreTastes
    from apps.recommendation.catalogue.encoder import RatingsEncoder
    from apps.recommendation.catalogue.interactions import Interactions

WEIGHTS = "item_to_item"


def linear_model(encoder: RatingsEncoder, num_kept: int) -> keras.Model:
    """Return the model from users and items to scores, whose weights are still zero.

    Args:
        encoder: Says how many users, items and choices there are.
        num_kept: How many others speak for an item; all where it is as many as there are items.
    """
    seen = SeenItems(encoder.num_users, sum(encoder.user_counts), max(encoder.user_counts), name="seen")
    users = keras.Input((), dtype="int32", name="user_ids")
    user_tower = keras.Model(users, ChosenItems(encoder.num_items)(seen(users)[1]), name=USER_TOWER)
    items = keras.Input((), dtype="int32", name="item_ids")
    weights = ItemToItem(encoder.num_items, min(num_kept, encoder.num_items), name=WEIGHTS)
    return two_towers(user_tower, keras.Model(items, weights(items), name=ITEM_TOWER), mean=0.0)


def is_linear(model: keras.Model) -> bool:
    """Whether a model of two towers has weights from item to item."""
    return any(layer.name == WEIGHTS for layer in model.get_layer(ITEM_TOWER).layers)


def weights_layer(model: keras.Model) -> ItemToItem:
    """Return the layer that keeps how items speak for each other."""
    return model.get_layer(ITEM_TOWER).get_layer(WEIGHTS)


def scores_of(seen: Any, rows: csr_array) -> ScoreUsers:
    """Return the function from users to their scores of all items.

    Args:
        seen: Sparse rows of users by items, as from `Interactions.matrix`.
        rows: The weights of all items for each item.
    """
    speaking = rows.T.tocsr()
    if speaking.nnz > speaking.shape[0] ** 2 / 4:
        speaking = speaking.toarray()

    def scores(users: np.ndarray) -> np.ndarray:
        product = seen[users] @ speaking
        return product if isinstance(product, np.ndarray) else product.toarray()

    return scores


def user_scores(model: keras.Model) -> ScoreUsers:
    """Return the function from a block of users to their scores of all items."""
    layer = weights_layer(model)
    return scores_of(seen_layer(model).matrix(layer.num_items), layer.recall())


def pair_scores(model: keras.Model) -> ScorePairs:
    """Return the function from a block of users and items to their scores."""
    layer = weights_layer(model)
    seen, rows = seen_layer(model).matrix(layer.num_items), layer.recall()

    def scores(users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return np.asarray((seen[users] * rows[items]).sum(axis=1), np.float32)

    return scores


def taste_scores(model: keras.Model) -> ScoreTastes:
    """Return the function from choices of people whom training never saw to their scores of all items."""
    rows = weights_layer(model).recall()

    def scores(tastes: Interactions) -> np.ndarray:
        return scores_of(tastes.matrix(), rows)(np.arange(tastes.num_users))

    return scores

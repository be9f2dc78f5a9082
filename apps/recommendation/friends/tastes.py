"""People whom training never saw, by the ratings that they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from apps.recommendation.catalogue.interactions import Interactions, padded
from apps.recommendation.factors import towers
from core.data.examples import Ragged

if TYPE_CHECKING:
    from apps.recommendation.catalogue.encoder import RatingsEncoder
    from apps.recommendation.factors.least_squares import ExplicitLeastSquares

LeastSquares = Callable[["RatingsEncoder", Interactions], "ExplicitLeastSquares"]


def taste_vectors(
    model: keras.Model, history: int, problem: LeastSquares, encoder: RatingsEncoder, tastes: Interactions
) -> np.ndarray:
    """Return the vectors of people as the user tower has them, for ratings alone.

    Args:
        model: Two towers, of which that of users sums factors.
        history: How many items describe a person; 0 for none.
        problem: Makes the least squares that own factors solve.
        encoder: Of the training.
        tastes: Ratings by people who are numbered from 0.
    """
    factors = towers.factorisation_of(model)
    before = np.zeros((tastes.num_users, factors.items.shape[1] + 1), np.float32)
    if history:
        rows = tastes.items_by_user()
        latest = Ragged.from_rows([rows[row][-history:] for row in range(len(rows))], np.int32)
        items, _ = padded(latest, length=history)
        layer = model.get_layer(towers.USER_TOWER).get_layer("implicit")
        before = ops.convert_to_numpy(layer(ops.convert_to_tensor(items), training=False))
    vectors, bias = before[:, :-1], before[:, -1]
    said = np.einsum("nd,nd->n", vectors[tastes.users], factors.items[tastes.items]) + bias[tastes.users]
    own, own_bias = problem(encoder, replace(tastes, ratings=tastes.ratings - said)).users_given(factors)
    return towers.factor_vectors(vectors + own, bias + own_bias)

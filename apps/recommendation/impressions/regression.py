"""Logistic regression on which values a row has: a rival, and what nets begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from apps.recommendation.impressions.nets import ALONE, WEIGHTS
from apps.recommendation.impressions.rates import Features

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from apps.recommendation.impressions.columns import ClicksEncoder

FURTHEST = 4.0  # standard deviations, as nets read numbers
MOST_ROWS = 500_000  # that are learnt from


def fitted(encoder: ClicksEncoder, features: Features, clicks: np.ndarray) -> Any:
    """Return the regression of scikit-learn, fitted.

    Args:
        encoder: Of the columns.
        features: Of the training part.
        clicks: 1 where a row was clicked, else 0.
    """
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=300).fit(indicators(encoder, features), clicks)


def indicators(encoder: ClicksEncoder, features: Features) -> csr_matrix:
    """Return a column for each id, of which the values of a field share one, and behind them the numbers."""
    from scipy.sparse import csr_matrix, hstack

    ids = features["ids"]
    present = ids > 0
    shares, first = np.zeros(ids.shape, np.float32), 0
    for field in encoder.read_fields:
        own = slice(first, first + field.slots)
        shares[:, own] = present[:, own] / np.maximum(present[:, own].sum(axis=1, keepdims=True), 1)
        first += field.slots
    rows = np.repeat(np.arange(len(ids)), ids.shape[1])[present.ravel()]
    matrix = csr_matrix((shares[present], (rows, ids[present])), (len(ids), encoder.num_ids))
    if "numbers" not in features:
        return matrix
    return hstack([matrix, np.clip(np.nan_to_num(features["numbers"]), -FURTHEST, FURTHEST)]).tocsr()


def put(model: keras.Model, regression: Any, num_ids: int) -> None:
    """Let the single values of a net say what a regression says of them.

    Args:
        model: As `click_model` returns it.
        regression: Fitted.
        num_ids: As it was fitted with.
    """
    weights = regression.coef_[0].astype(np.float32)
    model.get_layer(WEIGHTS).set_weights([weights[:num_ids, None]])
    alone = model.get_layer(ALONE)
    kernel, bias = alone.get_weights()
    numbers = weights[num_ids:, None]
    intercept = np.full_like(bias, regression.intercept_)
    alone.set_weights([numbers if len(numbers) else np.zeros_like(kernel), intercept])


def evenly(num_rows: int, most: int = MOST_ROWS) -> np.ndarray:
    """Return the places of rows, evenly taken where there are more than so many."""
    if num_rows <= most:
        return np.arange(num_rows)
    return np.linspace(0, num_rows - 1, most).astype(np.int64)

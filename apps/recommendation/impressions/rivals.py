"""The strong cheap rivals of click prediction: single values, and gradient-boosted trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.examples import Examples

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from apps.recommendation.impressions.columns import ClicksEncoder

TREES = {"max_iter": 300, "learning_rate": 0.06, "max_leaf_nodes": 31}
FOLDS = 5
SMOOTHING = 10.0  # rows at the rate of all that each value is given


def logistic_regression(
    encoder: ClicksEncoder, train: Examples, clicks: np.ndarray, others: Examples
) -> np.ndarray:
    """Logistic regression on which values a row has, and its standardised numbers.

    Args:
        encoder: Of the columns.
        train: The training part.
        clicks: 1 where a row of it was clicked, else 0.
        others: What to answer for.

    Returns:
        Probabilities of no click and of a click, shape `(num_others, 2)`.
    """
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=1.0, max_iter=300)
    regression.fit(_indicators(encoder, train), clicks)
    return regression.predict_proba(_indicators(encoder, others))


def _indicators(encoder: ClicksEncoder, examples: Examples) -> csr_matrix:
    """Return a column for each id, and behind them the numbers, 0 where one is missing."""
    from scipy.sparse import csr_matrix, hstack

    features = encoder.features(examples)
    ids = features["ids"]
    rows = np.repeat(np.arange(len(ids)), ids.shape[1])
    present = ids.ravel() > 0
    ones = np.ones(present.sum(), np.float32)
    matrix = csr_matrix((ones, (rows[present], ids.ravel()[present])), (len(ids), encoder.num_ids))
    if "numbers" not in features:
        return matrix
    return hstack([matrix, np.clip(np.nan_to_num(features["numbers"]), -4, 4)]).tocsr()


def boosted_trees(
    encoder: ClicksEncoder, train: Examples, clicks: np.ndarray, others: Examples
) -> np.ndarray:
    """Gradient-boosted trees on numbers, and on how often each category was clicked.

    Args:
        encoder: Of the columns.
        train: The training part.
        clicks: 1 where a row of it was clicked, else 0.
        others: What to answer for.

    Returns:
        Probabilities of no click and of a click, shape `(num_others, 2)`.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(**TREES, random_state=0)
    trees.fit(columns_of_trees(encoder, train, clicks), clicks)
    rates = click_rates(encoder, train, clicks)
    return trees.predict_proba(with_rates(encoder, encoder.features(others), rates))


def click_rates(encoder: ClicksEncoder, train: Examples, clicks: np.ndarray, rows: Any = None) -> np.ndarray:
    """Return how often each id was clicked, drawn towards the rate of all, float32, shape `(num_ids,)`."""
    ids = encoder.features(train)["ids"]
    ids, own = (ids, clicks) if rows is None else (ids[rows], clicks[rows])
    return _rates(ids, own, encoder.num_ids, encoder.rate)


def _rates(ids: np.ndarray, clicks: np.ndarray, num_ids: int, rate: float) -> np.ndarray:
    weights = np.repeat(clicks.astype(np.float64), ids.shape[1])
    hits = np.bincount(ids.ravel(), weights, num_ids) + SMOOTHING * rate
    return (hits / (np.bincount(ids.ravel(), minlength=num_ids) + SMOOTHING)).astype(np.float32)


def columns_of_trees(encoder: ClicksEncoder, train: Examples, clicks: np.ndarray) -> np.ndarray:
    """Return what trees learn from: rates of each row's values in other folds than its own, and numbers.

    Rates that a row's own click had a part in would tell it.

    Reference:
        Micci-Barreca, A Preprocessing Scheme for High-Cardinality Categorical Attributes (2001)
    """
    features = encoder.features(train)
    fold = np.random.default_rng(0).integers(FOLDS, size=len(clicks))
    columns = np.empty((len(clicks), _width(encoder)), np.float32)
    for own in range(FOLDS):
        inside = fold == own
        rates = _rates(features["ids"][~inside], clicks[~inside], encoder.num_ids, encoder.rate)
        held = {name: values[inside] for name, values in features.items()}
        columns[inside] = with_rates(encoder, held, rates)
    return columns


def _width(encoder: ClicksEncoder) -> int:
    return len(encoder.fields)


def with_rates(encoder: ClicksEncoder, features: dict[str, np.ndarray], rates: np.ndarray) -> np.ndarray:
    """Return a column for each field: of categories the mean rate of the values, of numbers the number.

    Args:
        encoder: Of the columns.
        features: As a net reads them.
        rates: Of each id.

    Returns:
        float32, shape `(num_rows, num_fields)`, nan where a number is missing.
    """
    columns, first, number = [], 0, 0
    for field in encoder.fields:
        if field.is_number:
            columns.append(features["numbers"][:, number])
            number += 1
        else:
            ids = features["ids"][:, first : first + field.slots]
            present = ids > 0
            columns.append((rates[ids] * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1))
        first += field.slots
    return np.stack(columns, axis=1).astype(np.float32)

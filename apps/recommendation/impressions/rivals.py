"""The strong cheap rivals of click prediction: single values, and gradient-boosted trees.

They read the columns of the table alone, without the pairs that are a model's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.impressions.rates import Features, click_rates, rates_of_rows, rates_without_own

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from apps.recommendation.impressions.columns import ClicksEncoder

MOST_ROWS = 500_000  # of training that rivals learn from
NUM_TREES, SHRINKAGE = 300, 0.06
MOST_LEAVES = 31


def logistic_regression(
    encoder: ClicksEncoder, train: Features, clicks: np.ndarray, others: Features
) -> np.ndarray:
    """Logistic regression on which values a row has, and its standardised numbers.

    Args:
        encoder: Of the columns.
        train: Of the training part.
        clicks: 1 where a row of it was clicked, else 0.
        others: What to answer for.

    Returns:
        Probabilities of no click and of a click, shape `(num_others, 2)`.
    """
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=1.0, max_iter=300)
    regression.fit(_indicators(encoder, train), clicks)
    return regression.predict_proba(_indicators(encoder, others))


def _indicators(encoder: ClicksEncoder, features: Features) -> csr_matrix:
    """Return a column for each id, and behind them the numbers, 0 where one is missing."""
    from scipy.sparse import csr_matrix, hstack

    ids = features["ids"]
    rows = np.repeat(np.arange(len(ids)), ids.shape[1])
    present = ids.ravel() > 0
    ones = np.ones(present.sum(), np.float32)
    matrix = csr_matrix((ones, (rows[present], ids.ravel()[present])), (len(ids), encoder.num_ids))
    if "numbers" not in features:
        return matrix
    return hstack([matrix, np.clip(np.nan_to_num(features["numbers"]), -4, 4)]).tocsr()


def boosted_trees(
    encoder: ClicksEncoder, train: Features, clicks: np.ndarray, others: Features
) -> np.ndarray:
    """Gradient-boosted trees on numbers, and on how often each category was clicked.

    Args:
        encoder: Of the columns.
        train: Of the training part.
        clicks: 1 where a row of it was clicked, else 0.
        others: What to answer for.

    Returns:
        Probabilities of no click and of a click, shape `(num_others, 2)`.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        max_iter=NUM_TREES,
        learning_rate=SHRINKAGE,
        max_leaf_nodes=MOST_LEAVES,
        early_stopping=False,
        random_state=0,
    )
    trees.fit(rates_without_own(encoder, train, clicks), clicks)
    rates = click_rates(encoder, train["ids"], clicks)
    return trees.predict_proba(rates_of_rows(encoder, others, rates))

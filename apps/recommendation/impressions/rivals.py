"""The strong cheap rivals of click prediction: single values, and gradient-boosted trees.

They read the columns of the table alone, without the pairs that are a model's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.impressions.rates import Features, click_rates, rates_of_rows, rates_without_own
from apps.recommendation.impressions.regression import fitted, indicators

if TYPE_CHECKING:
    from apps.recommendation.impressions.columns import ClicksEncoder

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
    regression = fitted(encoder, train, clicks)
    return regression.predict_proba(indicators(encoder, others))


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

"""Which method a table asks for: regression and trees are judged on rows held out of the training part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apps.recommendation.impressions.regression import evenly
from apps.recommendation.impressions.rivals import boosted_trees, logistic_regression
from core.answers.calibration import LEAST_PROBABILITY

if TYPE_CHECKING:
    from apps.recommendation.impressions.columns import ClicksEncoder
    from core.data.examples import Examples

HELD_OUT = 0.1
MOST_ROWS = 200_000
TREES, REGRESSION = "boosted trees", "logistic regression"


def judged(encoder: ClicksEncoder, train: Examples, seed: int) -> dict[str, float]:
    """Return the log loss of regression and trees on rows that they did not learn from, the better one first.

    Args:
        encoder: Of the columns and pairs.
        train: The training part, of which 200,000 rows are looked at, at most.
        seed: Of which rows are held out.
    """
    own = encoder.model_copy(update={"own": True})
    rows = evenly(len(train), MOST_ROWS)
    few = train.take(rows)
    features, clicks = own.features(few), encoder.ids(few["label"], few.source)
    held = np.random.default_rng(seed).random(len(rows)) < HELD_OUT
    rest, others = ({name: part[chosen] for name, part in features.items()} for chosen in (~held, held))
    if len(np.unique(clicks[~held])) < 2 or not held.any():
        return {REGRESSION: 0.0}
    losses = {}
    for name, method in ((REGRESSION, logistic_regression), (TREES, boosted_trees)):
        said = method(encoder, rest, clicks[~held], others)
        right = said[np.arange(int(held.sum())), clicks[held]]
        losses[name] = round(float(-np.log(np.maximum(right, LEAST_PROBABILITY)).mean()), 6)
    return dict(sorted(losses.items(), key=lambda each: each[1]))

import numpy as np
import pytest

from apps.recommendation.clicks import Clicks
from core.data.examples import Examples


def rows(log_odds) -> Examples:
    """Return 600 rows of two numbers, clicked as likely as a function of these says."""
    random = np.random.default_rng(0)
    left, right = random.uniform(-1, 1, (2, 600))
    clicked = np.where(random.random(600) < 1 / (1 + np.exp(-log_odds(left, right))), "1", "0")
    return Examples({"left": left, "right": right, "label": clicked})


@pytest.mark.parametrize(
    ("log_odds", "method"),
    [(lambda left, right: 20 * left * right, "boosted"), (lambda left, right: left + right, "deepfm")],
)
def test_auto_grows_trees_where_they_beat_a_regression_and_else_trains_a_net(log_odds, method):
    task = Clicks(data="nowhere", method="auto", bins=4)
    encoder = task.encode(rows(log_odds))
    assert task.settled(encoder) == method
    assert len(encoder.tried) == 2

from __future__ import annotations

import numpy as np
import pytest

from core.search.definition import TrialRecord
from core.search.importance import importance
from tests.core.search.searches import search

SPACE = {
    "task.dropout": {"min": 0.0, "max": 0.9},
    "fit.learning_rate": {"min": 1e-4, "max": 1, "scale": "log"},
    "task.ngrams": [1, 2, 3],
}


def records(count: int, score) -> list[TrialRecord]:
    random = np.random.default_rng(0)
    trials = []
    for number in range(count):
        values = {
            "task.dropout": random.uniform(0, 0.9),
            "fit.learning_rate": 10 ** random.uniform(-4, 0),
            "task.ngrams": int(random.integers(1, 4)),
        }
        trials.append(
            TrialRecord(str(number), values, "finished", {}, {"val_accuracy": score(values)}, "", 0.0, 1.0)
        )
    return trials


def test_what_alone_decides_has_nearly_all_the_variance():
    shares = importance(records(200, lambda values: values["task.dropout"]), search(SPACE))
    assert next(iter(shares)) == "task.dropout"
    assert shares["task.dropout"] == pytest.approx(1, abs=0.1)
    assert shares["task.ngrams"] < 0.05


def test_shares_follow_the_variances_of_a_sum():
    def score(values: dict) -> float:
        # Variances: dropout 1/12, rate on its log scale 4/12.
        return values["task.dropout"] / 0.9 + 2 * (np.log10(values["fit.learning_rate"]) + 4) / 4

    shares = importance(records(400, score), search(SPACE))
    assert shares["fit.learning_rate"] == pytest.approx(0.8, abs=0.1)
    assert shares["task.dropout"] == pytest.approx(0.2, abs=0.1)


def test_a_handful_of_trials_says_nothing():
    assert importance(records(5, lambda values: values["task.dropout"]), search(SPACE)) == {}

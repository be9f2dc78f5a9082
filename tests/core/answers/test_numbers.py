from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from core.answers.numbers import Numbers


@pytest.fixture(scope="module")
def answers() -> Numbers:
    random = np.random.default_rng(0)
    truth = random.integers(1, 6, 500).astype(float)
    return Numbers(truth, 3 + 0.5 * (truth - 3) + random.normal(0, 0.3, 500))


def test_the_figures_are_those_of_scikit_learn(answers):
    statistics = answers.statistics(np.arange(len(answers)))
    assert statistics["rmse"] == pytest.approx(
        metrics.root_mean_squared_error(answers.truth, answers.predicted)
    )
    assert statistics["mae"] == pytest.approx(metrics.mean_absolute_error(answers.truth, answers.predicted))
    assert answers.details()["explained_variance"] == pytest.approx(
        metrics.r2_score(answers.truth, answers.predicted)
    )


def test_rows_are_read_as_they_were_written(answers):
    read = Numbers.from_rows(answers.row(place) for place in range(len(answers)))
    np.testing.assert_array_equal(read.truth, answers.truth)
    np.testing.assert_array_equal(read.predicted, answers.predicted)


def test_the_levels_of_the_truth_hold_all_of_the_loss(answers):
    levels = answers.details()["levels"]
    assert [level["truth"] for level in levels] == [1, 2, 3, 4, 5]
    assert sum(level["share_of_loss"] for level in levels) == pytest.approx(1)
    assert sum(level["examples"] for level in levels) == 500


def test_a_continuous_truth_is_shown_in_tenths():
    truth = np.random.default_rng(0).normal(size=1000)
    levels = Numbers(truth, truth + 1).details()["levels"]
    assert [level["examples"] for level in levels] == [100] * 10


def test_the_worst_mistakes_are_furthest_off():
    assert Numbers(np.zeros(3), np.array([1.0, -5.0, 2.0])).mistakes(2).tolist() == [1, 2]


def titles(answers: Numbers) -> list[str]:
    tree = {"details": answers.details(), "mean_loss": float(answers.losses.mean())}
    return [finding.title for finding in Numbers.findings(tree)]


def test_extremes_that_are_drawn_to_the_middle_are_named(answers):
    assert any(title.startswith("Examples of about 5") or "about 1" in title for title in titles(answers))


def test_predictions_that_are_too_high_on_the_whole_are_named():
    truth = np.random.default_rng(0).normal(size=100)
    assert "Predictions are too high on the whole" in titles(Numbers(truth, truth + 0.5))


def test_an_offset_within_chance_is_not_named():
    random = np.random.default_rng(0)
    truth = random.normal(size=100)
    finding_titles = titles(Numbers(truth, truth + random.normal(size=100)))
    assert not any("on the whole" in title for title in finding_titles)

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.answers.significance import difference_p, holm, intervals, mcnemar, paired_differences


def mean_of(values: np.ndarray):
    return lambda rows: {"mean": float(values[rows].mean())}


def test_the_bootstrap_interval_of_a_mean_is_near_that_of_the_normal_distribution():
    values = np.random.default_rng(1).normal(3, 2, 2000)
    low, high = intervals(mean_of(values), len(values))["mean"]
    half = 1.96 * values.std(ddof=1) / len(values) ** 0.5
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)


def test_a_lower_confidence_gives_a_narrower_interval():
    values = np.random.default_rng(1).normal(size=200)
    wide = intervals(mean_of(values), 200, confidence=0.99)["mean"]
    narrow = intervals(mean_of(values), 200, confidence=0.5)["mean"]
    assert wide.low < narrow.low < narrow.high < wide.high


def test_intervals_are_the_same_twice():
    values = np.random.default_rng(1).normal(size=50)
    assert intervals(mean_of(values), 50) == intervals(mean_of(values), 50)


def test_of_one_example_nothing_can_be_said():
    assert intervals(mean_of(np.ones(1)), 1)["mean"] == (-np.inf, np.inf)


def test_paired_answers_that_differ_a_little_everywhere_differ_for_sure():
    values = np.random.default_rng(1).normal(0, 10, 300)
    difference = paired_differences(mean_of(values), mean_of(values + 0.1), 300)["mean"]
    assert difference.value == pytest.approx(0.1)
    assert difference.significant


def test_a_difference_that_chance_makes_is_not_significant():
    random = np.random.default_rng(1)
    first, second = random.normal(size=(2, 300))
    assert not paired_differences(mean_of(first), mean_of(second), 300)["mean"].significant


def test_only_figures_that_both_have_are_compared():
    compared = paired_differences(lambda rows: {"a": 1.0, "b": 2.0}, lambda rows: {"b": 3.0}, 10)
    assert list(compared) == ["b"]


def test_mcnemar_counts_the_examples_that_one_alone_gets_right():
    first = np.array([True] * 25 + [False] * 10 + [True] * 40)
    second = np.array([False] * 25 + [True] * 10 + [True] * 40)
    # The two-sided binomial tail of 10 or fewer of 35, by hand from the distribution itself.
    assert mcnemar(first, second) == pytest.approx(2 * stats.binom.cdf(10, 35, 0.5))


def test_classifiers_that_agree_do_not_differ():
    assert mcnemar(np.array([True, False]), np.array([True, False])) == 1.0


def test_answers_to_different_examples_can_not_be_paired():
    with pytest.raises(ValueError, match="same examples"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_holm_raises_each_by_how_many_are_left_and_keeps_the_order():
    assert holm([0.04, 0.001, 0.03, 0.9]) == pytest.approx([0.09, 0.004, 0.09, 0.9])


def test_of_right_and_wrong_the_difference_is_tested_by_fisher():
    own, rest = np.array([1] * 8 + [0] * 2), np.array([1] * 20 + [0] * 80)
    assert difference_p(own, rest) == stats.fisher_exact([[8, 2], [20, 80]]).pvalue


def test_of_other_numbers_the_difference_is_tested_by_welch():
    own, rest = np.array([1.0, 2.0, 4.0]), np.array([2.0, 5.0, 6.0, 9.0])
    assert difference_p(own, rest) == stats.ttest_ind(own, rest, equal_var=False).pvalue


def test_groups_that_are_each_of_one_number_differ_or_are_the_same():
    assert difference_p(np.full(5, 2.0), np.full(9, 2.0)) == 1.0
    assert difference_p(np.full(5, 2.0), np.full(9, 3.0)) == 0.0

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.answers.classes import Classes
from core.answers.numbers import Numbers
from core.answers.significance import mcnemar
from core.reporting.comparison import comparison_of
from core.reporting.figures import figures_of_answers


def with_accuracy(share: float, seed: int, count: int = 600) -> Classes:
    right = np.random.default_rng(seed).random(count) < share
    return Classes(["a", "b"], np.ones(count, int), np.where(right[:, None], [0.2, 0.8], [0.8, 0.2]))


def compared(**answers: Any) -> dict[str, Any]:
    trees = [figures_of_answers(each, {}, name) for name, each in answers.items()]
    return comparison_of(list(answers), trees, list(answers.values()))


def test_a_better_run_is_found_and_differs_for_sure():
    weak, strong = with_accuracy(0.7, 0), with_accuracy(0.9, 1)
    comparison = compared(weak=weak, strong=strong)
    (pair,) = comparison["pairs"]
    assert comparison["runs"][comparison["figures"][0]["best"]] == "strong"
    assert pair["mcnemar"]["p"] == mcnemar(weak.right, strong.right)
    assert pair["mcnemar"]["significant"]
    accuracy = next(each for each in pair["differences"] if each["name"] == "accuracy")
    assert accuracy["value"] == pytest.approx(strong.right.mean() - weak.right.mean())
    assert accuracy["significant"]


def test_runs_alike_may_be_the_same():
    (pair,) = compared(one=with_accuracy(0.8, 0), other=with_accuracy(0.8, 1))["pairs"]
    assert not pair["mcnemar"]["significant"]


def test_of_a_figure_that_is_better_small_the_smallest_is_best():
    truth = np.random.default_rng(0).normal(size=100)
    comparison = compared(far=Numbers(truth, truth + 2), near=Numbers(truth, truth + 1))
    assert comparison["figures"][0]["name"] == "rmse"
    assert comparison["figures"][0]["best"] == 1
    assert comparison["pairs"][0]["mcnemar"] is None


def test_p_values_of_three_runs_are_corrected_together():
    runs = {
        name: with_accuracy(share, seed)
        for seed, (name, share) in enumerate(zip("abc", (0.7, 0.8, 0.9), strict=True))
    }
    tests = [pair["mcnemar"] for pair in compared(**runs)["pairs"]]
    assert len(tests) == 3
    smallest = min(tests, key=lambda test: test["p"])
    assert smallest["p_corrected"] == pytest.approx(3 * smallest["p"])


def test_of_many_runs_each_is_compared_with_the_best():
    runs = {f"run{seed}": with_accuracy(0.5 + 0.1 * seed, seed) for seed in range(5)}
    pairs = compared(**runs)["pairs"]
    assert len(pairs) == 4
    assert {pair["first"] for pair in pairs} == {"run4"}


def test_runs_with_other_test_examples_are_not_paired():
    comparison = compared(one=with_accuracy(0.8, 0), other=with_accuracy(0.8, 1, count=500))
    assert comparison["pairs"] == []
    assert "differ" in comparison["not_paired"]


def test_settings_that_differ_are_reported():
    answers = with_accuracy(0.8, 0)
    trees = [
        {**figures_of_answers(answers, {}, "x"), "settings": {"fit": {"epochs": epochs, "seed": 0}}}
        for epochs in (1, 2)
    ]
    settings = comparison_of(["one", "two"], trees, [answers, answers])["settings"]
    assert settings == [{"name": "fit.epochs", "values": [1, 2]}]

from __future__ import annotations

import math

import pytest

from core.search.definition import Objective
from core.search.journalled_oracle import ended
from tests.core.search.searches import TWO, closeness, every_strategy, new_oracle, proposals, search, tell


@every_strategy
def test_the_configurations_own_values_are_tried_first(tmp_path, strategy):
    oracle = new_oracle(tmp_path, search(TWO, strategy=strategy))
    oracle.create_trial("one")
    assert oracle.records["0000"].values == {"fit.learning_rate": 0.001, "task.encoder": "bag"}


@every_strategy
def test_the_seed_fixes_the_order_and_the_values(tmp_path, strategy):
    first, second = (
        proposals(new_oracle(tmp_path / name, search(TWO, strategy=strategy)), 8) for name in ("a", "b")
    )
    assert first == second


@pytest.mark.parametrize("strategy", ["bayesian", "random", "hyperband"])
def test_another_seed_draws_other_values(tmp_path, strategy):
    first, second = (
        proposals(new_oracle(tmp_path / str(seed), search(TWO, strategy=strategy, seed=seed)), 4)
        for seed in (0, 1)
    )
    assert first[1:] != second[1:]


def test_the_grid_tries_every_combination_once(tmp_path):
    wanted = search({"task.ngrams": [1, 2, 3], "task.encoder": ["bag", "convolutional"]}, strategy="grid")
    oracle = new_oracle(tmp_path, wanted)
    tried = []
    while (trial := oracle.create_trial("one")).status == "RUNNING":
        tried.append(tuple(oracle.records[trial.trial_id].values.values()))
        tell(oracle, trial, 0.5)
    assert sorted(tried) == [(n, encoder) for n in (1, 2, 3) for encoder in ("bag", "convolutional")]
    assert oracle.stop_reason == "every combination was tried"


def test_bayesian_search_closes_in_where_random_search_does_not(tmp_path):
    best = {}
    for strategy in ("bayesian", "random"):
        misses = []
        for seed in range(3):
            oracle = new_oracle(tmp_path / f"{strategy}-{seed}", search(strategy=strategy, seed=seed))
            proposals(oracle, 15)
            misses.append(-max(trial.score for trial in oracle.trials.values()))
        best[strategy] = sum(misses)
    assert best["bayesian"] < best["random"] / 2


def test_hyperband_lets_the_better_go_on_from_where_they_were(tmp_path):
    oracle = new_oracle(tmp_path, search(strategy="hyperband"), trials=30)
    values = proposals(oracle, 30)
    longer = [each for each in values if each["tuner/initial_epoch"] > 0]
    earlier = oracle.trials[longer[0]["tuner/trial_id"]]
    assert earlier.hyperparameters.values["fit.learning_rate"] == longer[0]["fit.learning_rate"]
    assert earlier.hyperparameters.values["tuner/epochs"] == longer[0]["tuner/initial_epoch"]
    assert max(each["tuner/epochs"] for each in values) == 8


def test_two_objectives_are_searched_all_along_their_front(tmp_path):
    goals = (Objective("val_accuracy", "max"), Objective("parameters", "min"))
    oracle = new_oracle(tmp_path, search(objectives=goals), trials=25)
    while (trial := oracle.create_trial("one")).status == "RUNNING":
        cost = math.log(trial.hyperparameters.values["fit.learning_rate"])
        oracle.update_trial(trial.trial_id, {"val_accuracy": closeness(trial), "parameters": cost}, step=1)
        oracle.end_trial(ended(trial, "COMPLETED", ""))
    rates = sorted(record.values["fit.learning_rate"] for record in oracle.records.values())
    front = [rate for rate in rates if rate <= 1.2e-2]
    assert len(front) > 0.6 * len(rates)
    assert min(front) < 7e-4
    assert max(front) > 5e-3

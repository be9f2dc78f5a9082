from __future__ import annotations

import math

import pytest

from core.errors import UserError
from core.search.definition import Budget, Objective
from core.search.journal import Journal
from core.search.oracles import LOST_AFTER, ended, oracle_of
from tests.core.search.searches import closeness, oracle, proposals, search, tell

STRATEGIES = ("bayesian", "random", "grid", "hyperband")
TWO = {
    "fit.learning_rate": {"min": 1e-4, "max": 1, "scale": "log"},
    "task.encoder": ["bag", "convolutional"],
}
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


@every_strategy
def test_the_configurations_own_values_are_tried_first(tmp_path, strategy):
    told = oracle(tmp_path, search(TWO, strategy=strategy))
    told.create_trial("one")
    assert told.records["0000"].values == {"fit.learning_rate": 0.001, "task.encoder": "bag"}


@every_strategy
def test_the_seed_fixes_the_order_and_the_values(tmp_path, strategy):
    first, second = (
        proposals(oracle(tmp_path / name, search(TWO, strategy=strategy)), 8) for name in ("a", "b")
    )
    assert first == second


@pytest.mark.parametrize("strategy", ["bayesian", "random", "hyperband"])
def test_another_seed_draws_other_values(tmp_path, strategy):
    first, second = (
        proposals(oracle(tmp_path / str(seed), search(TWO, strategy=strategy, seed=seed)), 4)
        for seed in (0, 1)
    )
    assert first[1:] != second[1:]


@every_strategy
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path, strategy):
    wanted = search(TWO, strategy=strategy)
    whole = proposals(oracle(tmp_path / "whole", wanted), 9)
    begun = oracle(tmp_path / "cut", wanted)
    before = proposals(begun, 4)
    begun.create_trial("one")
    resumed = oracle(tmp_path / "cut", wanted)
    assert before + proposals(resumed, 5) == whole


def test_the_trial_that_was_running_is_run_again_and_no_other(tmp_path):
    begun = oracle(tmp_path)
    tell(begun, begun.create_trial("one"), 0.5)
    begun.create_trial("one")
    resumed = oracle(tmp_path)
    assert resumed.create_trial("one").trial_id == "0001"
    assert resumed.records["0000"].status == "finished"


def test_a_line_that_the_kill_tore_off_is_forgotten(tmp_path):
    begun = oracle(tmp_path)
    tell(begun, begun.create_trial("one"), 0.5)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"event": "crea')
    assert oracle(tmp_path).create_trial("one").trial_id == "0001"


def test_a_damaged_journal_is_refused(tmp_path):
    (tmp_path / "journal.jsonl").write_text("nonsense\n")
    with pytest.raises(UserError, match=r"journal\.jsonl, line 1, is damaged"):
        oracle(tmp_path)


def test_the_grid_tries_every_combination_once(tmp_path):
    wanted = search({"task.ngrams": [1, 2, 3], "task.encoder": ["bag", "convolutional"]}, strategy="grid")
    told = oracle(tmp_path, wanted)
    tried = []
    while (trial := told.create_trial("one")).status == "RUNNING":
        tried.append(tuple(told.records[trial.trial_id].values.values()))
        tell(told, trial, 0.5)
    assert sorted(tried) == [(n, encoder) for n in (1, 2, 3) for encoder in ("bag", "convolutional")]
    assert told.stop_reason == "every combination was tried"


def test_bayesian_search_closes_in_where_random_search_does_not(tmp_path):
    best = {}
    for strategy in ("bayesian", "random"):
        misses = []
        for seed in range(3):
            told = oracle(tmp_path / f"{strategy}-{seed}", search(strategy=strategy, seed=seed))
            proposals(told, 15)
            misses.append(-max(trial.score for trial in told.trials.values()))
        best[strategy] = sum(misses)
    assert best["bayesian"] < best["random"] / 2


def test_hyperband_lets_the_better_go_on_from_where_they_were(tmp_path):
    told = oracle(tmp_path, search(strategy="hyperband"), trials=30)
    values = proposals(told, 30)
    longer = [each for each in values if each["tuner/initial_epoch"] > 0]
    earlier = told.trials[longer[0]["tuner/trial_id"]]
    assert earlier.hyperparameters.values["fit.learning_rate"] == longer[0]["fit.learning_rate"]
    assert earlier.hyperparameters.values["tuner/epochs"] == longer[0]["tuner/initial_epoch"]
    assert max(each["tuner/epochs"] for each in values) == 8


def test_a_trial_worse_than_the_others_median_is_stopped(tmp_path):
    told = oracle(tmp_path)
    for _ in range(3):
        tell(told, told.create_trial("one"), 0.5, 0.6, 0.7, 0.8)
    record = tell(told, told.create_trial("one"), 0.2, 0.3, 0.9, 0.9)
    assert record.status == "stopped"
    assert max(record.history) == 2
    assert "after epoch 2 is worse than the others' median" in record.reason


def test_a_trial_better_than_the_median_goes_on(tmp_path):
    told = oracle(tmp_path)
    for _ in range(3):
        tell(told, told.create_trial("one"), 0.5, 0.6, 0.7, 0.8)
    assert tell(told, told.create_trial("one"), 0.6, 0.7, 0.8, 0.9).status == "finished"


def test_poor_trials_go_on_where_that_is_asked_for(tmp_path):
    told = oracle(tmp_path, search(stop_poor=False))
    for _ in range(3):
        tell(told, told.create_trial("one"), 0.5, 0.6, 0.7, 0.8)
    assert tell(told, told.create_trial("one"), 0.1, 0.1, 0.1).status == "finished"


def test_a_failed_trial_keeps_its_reason_and_the_search_goes_on(tmp_path):
    told = oracle(tmp_path)
    tell(told, told.create_trial("one"), 0.5)
    told.end_trial(ended(told.create_trial("one"), "FAILED", "out of memory"))
    assert (told.records["0001"].status, told.records["0001"].reason) == ("failed", "out of memory")
    assert told.create_trial("one").status == "RUNNING"


def test_a_score_that_is_no_number_is_a_failure(tmp_path):
    told = oracle(tmp_path)
    record = tell(told, told.create_trial("one"), float("nan"))
    assert (record.status, record.reason) == ("failed", "val_accuracy is no finite number")


def test_a_search_whose_first_trials_all_fail_stops(tmp_path):
    told = oracle(tmp_path)
    for _ in range(5):
        told.end_trial(ended(told.create_trial("one"), "FAILED", "no memory"))
    assert told.create_trial("one").status == "STOPPED"
    assert told.stop_reason == "the first 5 trials all failed"


def test_a_model_above_the_ceiling_is_stopped_before_it_trains(tmp_path):
    told = oracle(tmp_path, search(max_parameters=1000))
    trial = told.create_trial("one")
    assert told.update_trial(trial.trial_id, {"parameters": 2000}).status == "STOPPED"
    told.end_trial(ended(trial, "COMPLETED", None))
    assert told.records["0000"].status == "failed"
    assert told.records["0000"].reason == "2,000 parameters are above the 1,000 allowed"


def test_no_trial_begins_once_the_budget_is_spent(tmp_path):
    told = oracle(tmp_path, trials=2)
    assert len(proposals(told, 5)) == 2
    assert told.finished()


def test_a_larger_budget_goes_on_with_the_same_search(tmp_path):
    proposals(oracle(tmp_path, trials=2), 5)
    assert len(proposals(oracle(tmp_path, trials=5), 5)) == 3


def test_when_the_time_is_up_running_trials_stop_and_none_begins(tmp_path):
    told = oracle_of(search(), Budget(minutes=1), Journal(tmp_path / "journal.jsonl"))
    trial = told.create_trial("one")
    told._started -= 61
    assert told.update_trial(trial.trial_id, {"val_accuracy": 0.5}, step=1).status == "STOPPED"
    assert told.create_trial("two").status == "STOPPED"


def test_the_time_of_earlier_sittings_counts(tmp_path):
    first = oracle(tmp_path)
    first._started -= 100
    tell(first, first.create_trial("one"), 0.5)
    assert oracle(tmp_path).elapsed() >= 100


def test_the_trial_of_a_worker_that_went_silent_is_given_to_another(tmp_path):
    told = oracle(tmp_path)
    lost = told.create_trial("lost")
    told._heard["lost"] -= LOST_AFTER + 1
    told.give_back_lost()
    assert told.create_trial("other").trial_id == lost.trial_id


def test_a_worker_that_shows_life_keeps_its_trial(tmp_path):
    told = oracle(tmp_path)
    trial = told.create_trial("slow")
    told._heard["slow"] -= LOST_AFTER + 1
    told.get_trial(trial.trial_id)
    told.give_back_lost()
    assert told.create_trial("other").trial_id != trial.trial_id


def test_the_end_of_a_trial_that_another_has_ended_changes_nothing(tmp_path):
    told = oracle(tmp_path)
    trial = told.create_trial("lost")
    told.give_back("lost")
    tell(told, told.create_trial("other"), 0.5)
    told.end_trial(ended(trial, "FAILED", "late"))
    assert told.records[trial.trial_id].status == "finished"


def test_a_worker_waits_while_the_last_trial_may_yet_come_back(tmp_path):
    told = oracle(tmp_path, trials=1)
    told.create_trial("one")
    assert told.create_trial("two").status == "IDLE"


def test_two_objectives_are_searched_all_along_their_front(tmp_path):
    goals = (Objective("val_accuracy", "max"), Objective("parameters", "min"))
    told = oracle(tmp_path, search(objectives=goals), trials=25)
    while (trial := told.create_trial("one")).status == "RUNNING":
        cost = math.log(trial.hyperparameters.values["fit.learning_rate"])
        told.update_trial(trial.trial_id, {"val_accuracy": closeness(trial), "parameters": cost}, step=1)
        told.end_trial(ended(trial, "COMPLETED", ""))
    rates = sorted(record.values["fit.learning_rate"] for record in told.records.values())
    front = [rate for rate in rates if rate <= 1.2e-2]
    assert len(front) > 0.6 * len(rates)
    assert min(front) < 7e-4
    assert max(front) > 5e-3

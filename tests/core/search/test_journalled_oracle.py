from __future__ import annotations

import pytest

from core.errors import UserError
from core.search.definition import Budget
from core.search.journal import Journal
from core.search.journalled_oracle import LOST_AFTER, ended
from core.search.strategies import oracle_of
from tests.core.search.searches import TWO, every_strategy, new_oracle, proposals, search, tell


@every_strategy
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path, strategy):
    wanted = search(TWO, strategy=strategy)
    whole = proposals(new_oracle(tmp_path / "whole", wanted), 9)
    begun = new_oracle(tmp_path / "cut", wanted)
    before = proposals(begun, 4)
    begun.create_trial("one")
    resumed = new_oracle(tmp_path / "cut", wanted)
    assert before + proposals(resumed, 5) == whole


def test_the_trial_that_was_running_is_run_again_and_no_other(tmp_path):
    begun = new_oracle(tmp_path)
    tell(begun, begun.create_trial("one"), 0.5)
    begun.create_trial("one")
    resumed = new_oracle(tmp_path)
    assert resumed.create_trial("one").trial_id == "0001"
    assert resumed.records["0000"].status == "finished"


def test_a_line_that_the_kill_tore_off_is_forgotten(tmp_path):
    begun = new_oracle(tmp_path)
    tell(begun, begun.create_trial("one"), 0.5)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"event": "crea')
    assert new_oracle(tmp_path).create_trial("one").trial_id == "0001"


def test_a_damaged_journal_is_refused(tmp_path):
    (tmp_path / "journal.jsonl").write_text("nonsense\n")
    with pytest.raises(UserError, match=r"journal\.jsonl, line 1, is damaged"):
        new_oracle(tmp_path)


def test_a_failed_trial_keeps_its_reason_and_the_search_goes_on(tmp_path):
    oracle = new_oracle(tmp_path)
    tell(oracle, oracle.create_trial("one"), 0.5)
    oracle.end_trial(ended(oracle.create_trial("one"), "FAILED", "out of memory"))
    assert (oracle.records["0001"].status, oracle.records["0001"].reason) == ("failed", "out of memory")
    assert oracle.create_trial("one").status == "RUNNING"


def test_a_score_that_is_no_number_is_a_failure(tmp_path):
    oracle = new_oracle(tmp_path)
    record = tell(oracle, oracle.create_trial("one"), float("nan"))
    assert (record.status, record.reason) == ("failed", "val_accuracy is no finite number")


def test_a_search_whose_first_trials_all_fail_stops(tmp_path):
    oracle = new_oracle(tmp_path)
    for _ in range(5):
        oracle.end_trial(ended(oracle.create_trial("one"), "FAILED", "no memory"))
    assert oracle.create_trial("one").status == "STOPPED"
    assert oracle.stop_reason == "the first 5 trials all failed"


def test_no_trial_begins_once_the_budget_is_spent(tmp_path):
    oracle = new_oracle(tmp_path, trials=2)
    assert len(proposals(oracle, 5)) == 2
    assert oracle.finished()


def test_a_larger_budget_goes_on_with_the_same_search(tmp_path):
    proposals(new_oracle(tmp_path, trials=2), 5)
    assert len(proposals(new_oracle(tmp_path, trials=5), 5)) == 3


def test_when_the_time_is_up_running_trials_stop_and_none_begins(tmp_path):
    oracle = oracle_of(search(), Budget(minutes=1), Journal(tmp_path / "journal.jsonl"))
    trial = oracle.create_trial("one")
    oracle._started -= 61
    assert oracle.update_trial(trial.trial_id, {"val_accuracy": 0.5}, step=1).status == "STOPPED"
    assert oracle.create_trial("two").status == "STOPPED"


def test_the_time_of_earlier_sittings_counts(tmp_path):
    first = new_oracle(tmp_path)
    first._started -= 100
    tell(first, first.create_trial("one"), 0.5)
    assert new_oracle(tmp_path).elapsed() >= 100


def test_the_trial_of_a_worker_that_went_silent_is_given_to_another(tmp_path):
    oracle = new_oracle(tmp_path)
    lost = oracle.create_trial("lost")
    oracle._heard["lost"] -= LOST_AFTER + 1
    oracle.give_back_lost()
    assert oracle.create_trial("other").trial_id == lost.trial_id


def test_a_worker_that_shows_life_keeps_its_trial(tmp_path):
    oracle = new_oracle(tmp_path)
    trial = oracle.create_trial("slow")
    oracle._heard["slow"] -= LOST_AFTER + 1
    oracle.get_trial(trial.trial_id)
    oracle.give_back_lost()
    assert oracle.create_trial("other").trial_id != trial.trial_id


def test_the_end_of_a_trial_that_another_has_ended_changes_nothing(tmp_path):
    oracle = new_oracle(tmp_path)
    trial = oracle.create_trial("lost")
    oracle.give_back("lost")
    tell(oracle, oracle.create_trial("other"), 0.5)
    oracle.end_trial(ended(trial, "FAILED", "late"))
    assert oracle.records[trial.trial_id].status == "finished"


def test_a_worker_waits_while_the_last_trial_may_yet_come_back(tmp_path):
    oracle = new_oracle(tmp_path, trials=1)
    oracle.create_trial("one")
    assert oracle.create_trial("two").status == "IDLE"

from __future__ import annotations

from core.search.journalled_oracle import ended
from tests.core.search.searches import new_oracle, search, tell


def test_a_trial_worse_than_the_others_median_is_stopped(tmp_path):
    oracle = new_oracle(tmp_path)
    for _ in range(3):
        tell(oracle, oracle.create_trial("one"), 0.5, 0.6, 0.7, 0.8)
    record = tell(oracle, oracle.create_trial("one"), 0.2, 0.3, 0.9, 0.9)
    assert record.status == "stopped"
    assert max(record.history) == 2
    assert "after epoch 2 is worse than the others' median" in record.reason


def test_a_trial_better_than_the_median_goes_on(tmp_path):
    oracle = new_oracle(tmp_path)
    for _ in range(3):
        tell(oracle, oracle.create_trial("one"), 0.5, 0.6, 0.7, 0.8)
    assert tell(oracle, oracle.create_trial("one"), 0.6, 0.7, 0.8, 0.9).status == "finished"


def test_poor_trials_go_on_where_that_is_asked_for(tmp_path):
    oracle = new_oracle(tmp_path, search(stop_poor=False))
    for _ in range(3):
        tell(oracle, oracle.create_trial("one"), 0.5, 0.6, 0.7, 0.8)
    assert tell(oracle, oracle.create_trial("one"), 0.1, 0.1, 0.1).status == "finished"


def test_a_model_above_the_ceiling_is_stopped_before_it_trains(tmp_path):
    oracle = new_oracle(tmp_path, search(max_parameters=1000))
    trial = oracle.create_trial("one")
    assert oracle.update_trial(trial.trial_id, {"parameters": 2000}).status == "STOPPED"
    oracle.end_trial(ended(trial, "COMPLETED", None))
    assert oracle.records["0000"].status == "failed"
    assert oracle.records["0000"].reason == "2,000 parameters are above the 1,000 allowed"

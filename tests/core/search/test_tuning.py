"""A whole search, from the command to the last judgement, and again after a kill."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

import pytest

from core.errors import UserError
from core.experiment import Experiment, load_experiment
from core.run import Run
from core.search.definition import Budget, Search
from core.search.tuning import only_one, tune
from tests import small_data
from tests.core.search.searches import PRETEND
from tests.core.search.working import begun, search_all


def ratings_search(data: str | Path, **options) -> Search:
    plain = load_experiment(
        "recommendation/ratings", [f"data={data}", "tune={}", "fit.epochs=4", "dim=4", "fit.patience=null"]
    )
    tree = {**dict(plain), "tune": {"task.dim": [2, 4, 8], "task.penalty": {"min": 0.5, "max": 8}}}
    return Search(Experiment.model_validate(tree), **options)


@pytest.fixture(scope="module")
def ratings(tmp_path_factory) -> Path:
    return small_data.ratings(tmp_path_factory.mktemp("ratings"))


@pytest.fixture(scope="module")
def searched(ratings, tmp_path_factory) -> tuple[Path, dict]:
    """The folder and the outcome of a search of two real trials."""
    folder = tmp_path_factory.mktemp("search") / "search"
    return folder, tune(ratings_search(ratings), folder, Budget(trials=2))


def test_the_best_on_validation_is_at_least_as_good_as_the_configuration_itself(searched):
    _, outcome = searched
    assert outcome["best"]["validation"]["val_rmse"] <= outcome["own"]["validation"]["val_rmse"]


def test_the_best_run_is_a_run_like_any_other(searched):
    _, outcome = searched
    run = Run(outcome["best"]["run"])
    assert outcome["best"]["test"]["rmse"] == run.metrics["test"]["rmse"]
    assert run.experiment.task.predict(run.model, run.encoder, ["3"])[0]


def test_the_best_configuration_is_one_that_training_takes(searched):
    folder, outcome = searched
    best = load_experiment(str(folder / "best.yaml"))
    assert {path: best.value_at(path) for path in outcome["best"]["values"]} == outcome["best"]["values"]


def test_the_table_holds_every_trial_with_its_values(searched):
    folder, _ = searched
    with (folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["0000", "0001"]
    assert all(float(row["val_rmse"]) > 0 and row["task.dim"] in {"2", "4", "8"} for row in rows)


def test_the_pictures_are_there_and_can_be_opened(searched):
    from PIL import Image

    folder, _ = searched
    for name in ("values.png", "progress.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 200


def test_tensorboard_is_told_the_values_of_each_trial(searched):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, _ = searched
    events = EventAccumulator(str(folder / "trials" / "0001" / "logs"))
    events.Reload()
    assert "_hparams_/session_start_info" in events.summary_metadata


def test_the_same_command_again_runs_no_trial(searched, ratings):
    folder, outcome = searched
    before = (folder / "journal.jsonl").read_text()
    again = tune(ratings_search(ratings), folder, Budget(trials=2))
    assert (folder / "journal.jsonl").read_text() == before
    assert again["best"] == outcome["best"]


def test_a_search_that_was_killed_runs_no_finished_trial_twice_and_ends_the_same(ratings, tmp_path):
    tune(ratings_search(ratings), tmp_path / "whole", Budget(trials=5), command=PRETEND)
    slow = begun(search_all, ratings_search(ratings), tmp_path / "cut", 0.3)
    end = time.monotonic() + 90
    while not (tmp_path / "cut" / "trials" / "0002" / "started").exists():
        assert time.monotonic() < end, "the search did not come to its third trial"
        assert slow.is_alive()
        time.sleep(0.05)
    slow.kill()
    slow.join()
    again = begun(search_all, ratings_search(ratings), tmp_path / "cut", 0)
    again.join()
    assert again.exitcode == 0
    starts = [len(path.read_text().split()) for path in sorted(tmp_path.glob("cut/trials/*/started"))]
    assert starts == [1, 1, 2, 1, 1]
    whole, cut = (json.loads((tmp_path / name / "outcome.json").read_text()) for name in ("whole", "cut"))
    assert cut["best"]["values"] == whole["best"]["values"]
    assert cut["best"]["validation"] == whole["best"]["validation"]
    with (tmp_path / "whole" / "trials.csv").open() as one, (tmp_path / "cut" / "trials.csv").open() as other:
        assert one.read() == other.read()


DIES = [sys.executable, "-c", "raise SystemExit(3)"]


def test_where_all_trials_fail_the_search_says_why(ratings, tmp_path):
    wanted = ratings_search(ratings, objectives=())
    with pytest.raises(
        UserError,
        match=r"No trial of 5 succeeded. Most often: its process ended with code 3.* search again",
    ):
        tune(wanted, tmp_path / "search", Budget(5), command=DIES)


@pytest.mark.parametrize("seed", [0, 1], ids=["the same search", "another"])
def test_where_all_trials_failed_a_search_begins_anew_and_keeps_them_aside(ratings, tmp_path, seed):
    with pytest.raises(UserError, match="No trial of 2 succeeded"):
        tune(ratings_search(ratings), tmp_path, Budget(2), command=DIES)
    (tmp_path / "cache").mkdir(exist_ok=True)
    outcome = tune(ratings_search(ratings, seed=seed), tmp_path, Budget(2), command=PRETEND)
    assert outcome["trials"] == {"finished": 2}
    aside = sorted(str(path.relative_to(tmp_path / "failed-1")) for path in tmp_path.glob("failed-1/**/*"))
    assert aside == [
        "journal.jsonl",
        "search.yaml",
        "trials",
        "trials.csv",
        "trials/0000",
        "trials/0000/trial.log",
        "trials/0001",
        "trials/0001/trial.log",
    ]
    assert not (tmp_path / "cache").exists()


def test_a_search_with_one_success_is_never_set_aside(ratings, tmp_path):
    tune(ratings_search(ratings), tmp_path, Budget(1), command=PRETEND)
    outcome = tune(ratings_search(ratings), tmp_path, Budget(3), command=DIES)
    assert outcome["trials"] == {"finished": 1, "failed": 2}
    assert tune(ratings_search(ratings), tmp_path, Budget(3), command=DIES)["trials"] == outcome["trials"]
    assert not list(tmp_path.glob("failed-*"))


def test_two_workers_share_the_trials(ratings, tmp_path):
    wanted = ratings_search(ratings, stop_poor=False)
    tune(wanted, tmp_path / "search", Budget(trials=5), workers=2, command=PRETEND)
    events = [json.loads(line) for line in (tmp_path / "search" / "journal.jsonl").read_text().splitlines()]
    created = [event for event in events if event["event"] == "created"]
    assert {event["worker"] for event in created} == {"local-0", "local-1"}
    assert len({event["trial"] for event in created}) == len(created) == 5


@pytest.mark.parametrize("name", ["lock", "trials/0/trial.log", "journal.jsonl", "best"])
def test_nothing_is_searched_where_a_link_leads_out_of_the_folder(tmp_path, name):
    outside, link = tmp_path / "outside", tmp_path / "search" / name
    outside.write_text("mine")
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(UserError, match=f"{name} leads out of its folder"), only_one(tmp_path / "search"):
        pass
    assert outside.read_text() == "mine"


def test_a_folder_is_held_by_one_search_at_a_time(tmp_path):
    with only_one(tmp_path), pytest.raises(UserError, match="Another search is at work"), only_one(tmp_path):
        pass

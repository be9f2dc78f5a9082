from __future__ import annotations

import os

import pytest

from core.errors import UserError
from core.experiment import experiment_from
from core.run import Run, newest_unfinished
from core.training.train import opened
from core.writing import written_whole

EXPERIMENT = experiment_from({"task": {"type": "tests.core.hard_tasks.Regression"}})


def test_a_run_keeps_the_resolved_experiment(tmp_path):
    Run.create(tmp_path / "run", EXPERIMENT)
    assert Run(tmp_path / "run").experiment == EXPERIMENT


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path):
    Run.create(tmp_path, EXPERIMENT)
    with pytest.raises(UserError, match="already holds a run"):
        Run.create(tmp_path, EXPERIMENT)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="no run folder"):
        Run(tmp_path)


def test_a_run_of_another_version_is_refused(tmp_path):
    Run.create(tmp_path, EXPERIMENT)
    path = tmp_path / "experiment.yaml"
    path.write_text(path.read_text().replace("version: 1", "version: 2"))
    with pytest.raises(UserError, match="version 2"):
        _ = Run(tmp_path).experiment


def test_a_run_that_did_not_finish_says_how_to_go_on(tmp_path):
    run = Run.create(tmp_path, EXPERIMENT)
    with pytest.raises(UserError, match="--resume"):
        _ = run.metrics


def test_a_folder_that_can_not_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be written"):
        Run.create(tmp_path / "file" / "run", EXPERIMENT)


def test_the_newest_run_that_was_cut_off_is_the_one_to_resume(tmp_path):
    for age, name in enumerate(["new", "old", "finished"]):
        Run.create(tmp_path / name, EXPERIMENT)
        os.utime(tmp_path / name / "experiment.yaml", (1000 - age, 1000 - age))
    os.utime(tmp_path / "finished" / "experiment.yaml", (2000, 2000))
    (tmp_path / "finished" / "metrics.json").write_text("{}")
    assert newest_unfinished(tmp_path, EXPERIMENT) == tmp_path / "new"


def test_a_damaged_neighbour_does_not_keep_a_run_from_being_resumed(tmp_path):
    Run.create(tmp_path / "mine", EXPERIMENT)
    Run.create(tmp_path / "damaged", EXPERIMENT)
    (tmp_path / "damaged" / "experiment.yaml").write_text("version: [")
    os.utime(tmp_path / "mine" / "experiment.yaml", (1000, 1000))
    assert newest_unfinished(tmp_path, EXPERIMENT) == tmp_path / "mine"


def test_a_resumed_run_is_rid_of_what_a_kill_left_half_written(tmp_path):
    Run.create(tmp_path, EXPERIMENT)
    killed = written_whole(tmp_path / "predictions.jsonl")
    killed.__enter__().write_text("half")
    (tmp_path / ".notes.txt").write_text("the user's own")
    opened(EXPERIMENT, tmp_path, resume=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".notes.txt", "experiment.yaml"]


def test_nothing_to_resume_is_said(tmp_path):
    with pytest.raises(UserError, match="was cut off"):
        newest_unfinished(tmp_path, EXPERIMENT)


def test_rows_appear_when_all_of_them_are_written(tmp_path):
    run = Run.create(tmp_path, EXPERIMENT)
    with run.rows("predictions.jsonl") as write:
        write({"a": 1})
        assert not (tmp_path / "predictions.jsonl").exists()
        write({"a": float("nan")})
    assert (tmp_path / "predictions.jsonl").read_text() == '{"a": 1}\n{"a": null}\n'


@pytest.mark.parametrize(("name", "read"), [("metrics.json", "metrics"), ("encoder.json", "encoder")])
def test_a_damaged_file_of_a_run_is_named(tmp_path, name, read):
    run = Run.create(tmp_path, EXPERIMENT)
    (tmp_path / name).write_text('{"labels": [')
    with pytest.raises(UserError, match=f"{name} is damaged"):
        getattr(run, read)


@pytest.mark.parametrize("content", ["[]", '{"steps_per_execution": "many"}'])
def test_a_choice_of_compilation_that_is_none_is_reported(tmp_path, content):
    run = Run.create(tmp_path, EXPERIMENT)
    (tmp_path / "compilation.json").write_text(content)
    with pytest.raises(UserError, match="compilation"):
        _ = run.as_trained


@pytest.mark.parametrize("content", ["{}", "[]", '{"test": {}}'])
def test_metrics_without_figures_are_damaged(tmp_path, content):
    run = Run.create(tmp_path, EXPERIMENT)
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=r"metrics\.json is damaged"):
        _ = run.metrics


def test_an_encoder_of_another_task_is_named_with_its_file(tmp_path):
    run = Run.create(tmp_path, EXPERIMENT)
    (tmp_path / "encoder.json").write_text('{"labels": []}')
    with pytest.raises(UserError, match=r"encoder\.json is damaged, or of another task: .*encoder\.labels"):
        _ = run.encoder


def test_a_finished_run_that_lost_a_file_is_not_told_to_resume(tmp_path):
    run = Run.create(tmp_path, EXPERIMENT)
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match=r"has lost its encoder\.json"):
        _ = run.encoder


@pytest.mark.parametrize(("own", "left"), [(None, []), ("notes.txt", ["logs", "logs/notes.txt"])])
def test_a_discarded_run_takes_its_logs_along_and_leaves_what_is_the_user_s(tmp_path, own, left):
    run = Run.create(tmp_path / "run", EXPERIMENT)
    (run.logs / "train").mkdir(parents=True)
    (run.logs / "train" / "events.out.tfevents.1.host.v2").touch()
    if own:
        (run.logs / own).touch()
    run.discard()
    assert run.folder.exists() is bool(left)
    assert sorted(path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*")) == left


def test_a_run_with_a_checkpoint_is_not_discarded(tmp_path):
    run = Run.create(tmp_path / "run", EXPERIMENT)
    run.checkpoints.mkdir()
    (run.checkpoints / "checkpoint.npz").touch()
    run.discard()
    assert Run(run.folder).experiment == EXPERIMENT

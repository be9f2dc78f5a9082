"""The contract carries unusual tasks: each trains, is judged, loaded and resumed by `core` as it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.callbacks.state_file import read_state_file, write_state_file
from core.errors import UserError
from core.experiment import Experiment, experiment_from
from core.run import Run
from core.training.train import train
from tests.cut_off import copied_at, cut_off

QUICK = {
    "epochs": 3,
    "batch_size": 8,
    "steps_per_execution": 1,
    "learning_rate": 0.01,
    "tensorboard": False,
    "checkpoint_seconds": 0,
}
TASKS = ["Regression", "ClosedForm", "Adversarial", "Realigned", "Detection", "Generator"]


def experiment_of(name: str, **fit: object) -> Experiment:
    return experiment_from(
        {
            "task": {"type": f"tests.core.hard_tasks.{name}"},
            "fit": {**QUICK, **fit},
            "audit": {"leaks": "allow"},
        }
    )


def raw_inputs(name: str) -> list:
    return {"Adversarial": [0, 1], "Generator": ["abc"]}.get(name, [[1.0, 2.0, 3.0, 4.0]])


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    """The run of each task, trained when first asked for."""

    class Runs(dict):
        def __missing__(self, name: str) -> Run:
            folder = tmp_path_factory.mktemp("run") / "whole"
            with copied_at(folder, (2, 0)):
                self[name] = train(experiment_of(name), folder)
            return self[name]

    return Runs()


@pytest.mark.parametrize("name", TASKS)
def test_a_hard_task_trains_and_its_loaded_run_predicts_the_same(name, runs):
    run = runs[name]
    losses = [float(line.split(",")[1]) for line in (run.folder / "history.csv").read_text().split()[1:]]
    assert losses
    assert np.isfinite(run.metrics["test"]["error"])
    task = run.experiment.task
    loaded = Run(run.folder)
    first = task.predict(run.model, run.encoder, raw_inputs(name))
    assert task.predict(loaded.model, loaded.encoder, raw_inputs(name)) == first
    assert not list(run.checkpoints.glob("*"))


@pytest.mark.parametrize("name", TASKS)
def test_a_hard_task_that_was_cut_off_ends_with_the_weights_of_an_uninterrupted_one(name, runs):
    whole = runs[name]
    resumed = train(experiment_of(name), cut_off(whole.folder), resume=True)
    for expected, received in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)
    assert (resumed.folder / "history.csv").read_text() == (whole.folder / "history.csv").read_text()


def damaged(checkpoint: Path) -> None:
    checkpoint.write_bytes(b"half of it")


def of_another_version(checkpoint: Path) -> None:
    state = read_state_file(checkpoint)
    del state["model"][next(iter(state["model"]))]
    write_state_file(checkpoint, state)


@pytest.mark.parametrize("spoil", [damaged, of_another_version])
def test_a_checkpoint_that_does_not_fit_is_reported_with_what_to_do(spoil, tmp_path):
    experiment, whole = experiment_of("Regression"), tmp_path / "run"
    with copied_at(whole, (2, 0)):
        train(experiment, whole)
    run = Run(cut_off(whole))
    (checkpoint,) = run.checkpoints.iterdir()
    spoil(checkpoint)
    with pytest.raises(UserError, match="is deleted, --resume starts it anew"):
        train(experiment, run.folder, resume=True)
    checkpoint.unlink()
    assert train(experiment, run.folder, resume=True).finished

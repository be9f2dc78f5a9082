"""The contract carries the hard tasks: each trains, is judged, loaded and resumed by `core` as it stands."""

from __future__ import annotations

import numpy as np
import pytest

from core.callbacks import ExactResume
from core.experiment import Experiment, experiment_from
from core.run import Run
from core.training import train

QUICK = {"epochs": 4, "batch_size": 8, "learning_rate": 0.01, "tensorboard": False, "checkpoint_seconds": 0}
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


@pytest.mark.parametrize("name", TASKS)
def test_a_hard_task_trains_and_its_loaded_run_predicts_the_same(name, tmp_path):
    run = train(experiment_of(name), tmp_path / "run")
    losses = [float(line.split(",")[1]) for line in (run.folder / "history.csv").read_text().split()[1:]]
    assert losses
    assert np.isfinite(run.metrics["test"]["error"])
    task = run.experiment.task
    loaded = Run(run.folder)
    first = task.predict(run.model, run.encoder, raw_inputs(name))
    assert task.predict(loaded.model, loaded.encoder, raw_inputs(name)) == first
    assert not list(run.checkpoints.glob("*"))


class CutError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("name", TASKS)
def test_a_hard_task_that_was_cut_off_ends_with_the_weights_of_an_uninterrupted_one(
    name, tmp_path, monkeypatch
):
    whole = train(experiment_of(name), tmp_path / "whole")
    with monkeypatch.context() as patch:
        cut_after(patch, num_epochs=2)
        with pytest.raises(CutError):
            train(experiment_of(name), tmp_path / "cut")
    resumed = train(experiment_of(name), tmp_path / "cut", resume=True)
    for expected, received in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)
    assert (resumed.folder / "history.csv").read_text() == (whole.folder / "history.csv").read_text()


def cut_after(patch: pytest.MonkeyPatch, num_epochs: int) -> None:
    save = ExactResume.on_epoch_end

    def save_and_end(self: ExactResume, epoch: int, logs: dict | None = None) -> None:
        save(self, epoch, logs)
        if epoch + 1 == num_epochs:
            raise CutError

    patch.setattr(ExactResume, "on_epoch_end", save_and_end)

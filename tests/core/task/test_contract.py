"""Checkpoints that a training can't go on from; `tests/miniatures` resumes the others."""

from __future__ import annotations

from pathlib import Path

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


def experiment() -> Experiment:
    return experiment_from(
        {
            "task": {"type": "tests.core.hard_tasks.Regression"},
            "fit": QUICK,
            "audit": {"leaks": "allow"},
        }
    )


def damaged(checkpoint: Path) -> None:
    checkpoint.write_bytes(b"half of it")


def of_another_version(checkpoint: Path) -> None:
    state = read_state_file(checkpoint)
    del state["model"][next(iter(state["model"]))]
    write_state_file(checkpoint, state)


@pytest.mark.parametrize("spoil", [damaged, of_another_version])
def test_a_checkpoint_that_does_not_fit_is_reported_with_what_to_do(spoil, tmp_path):
    whole = tmp_path / "run"
    with copied_at(whole, (2, 0)):
        train(experiment(), whole)
    run = Run(cut_off(whole))
    (checkpoint,) = run.checkpoints.iterdir()
    spoil(checkpoint)
    with pytest.raises(UserError, match="is deleted, --resume starts it anew"):
        train(experiment(), run.folder, resume=True)
    checkpoint.unlink()
    assert train(experiment(), run.folder, resume=True).finished

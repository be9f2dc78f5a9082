from __future__ import annotations

import pytest

from core.experiment import load_experiment
from core.fit import Fit
from core.run import Run
from core.training.train import train
from tests.small_data import reviews

PLAIN = ["fit.jit_compile=false", "fit.steps_per_execution=1", "fit.tensorboard=false"]


@pytest.mark.parametrize(("num_steps", "epochs"), [(6, 67), (100, 12), (1, 400)])
def test_small_data_take_more_epochs_where_these_are_left_open(num_steps, epochs):
    assert Fit(epochs="auto", least_epochs=12, least_steps=400).epochs_of(num_steps) == epochs


def test_epochs_that_are_given_are_taken_as_they_are():
    assert Fit(epochs=3, least_epochs=12, least_steps=400).epochs_of(num_steps=1) == 3


def test_a_run_trains_as_long_as_its_data_ask_for_and_says_so(tmp_path):
    settings = ["fit.epochs=auto", "fit.least_epochs=2", "fit.least_steps=9", "fit.batch_size=32", *PLAIN]
    experiment = load_experiment("nlp/sentiment", [f"data={reviews(tmp_path)}", *settings])
    run = train(experiment, tmp_path / "run")
    num_steps = -(-run.metrics["data"]["train"] // 32)
    epochs = len((tmp_path / "run" / "history.csv").read_text().splitlines()) - 1
    assert epochs == -(-9 // num_steps)
    assert any(f"fit.epochs=auto trains for {epochs} epochs" in note for note in run.metrics["data"]["notes"])
    assert Run(tmp_path / "run").experiment.fit.epochs == "auto"


def test_nothing_is_said_where_the_data_ask_for_no_more(tmp_path):
    settings = ["fit.epochs=auto", "fit.least_epochs=2", "fit.least_steps=2", *PLAIN]
    experiment = load_experiment("nlp/sentiment", [f"data={reviews(tmp_path)}", *settings])
    run = train(experiment, tmp_path / "run")
    assert not any("fit.epochs" in note for note in run.metrics["data"]["notes"])

"""A training that starts from another run: its weights, and what may not be judged on then."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from pydantic import Field

from core.data.examples import Splits
from core.errors import UserError
from core.experiment import Experiment, experiment_from
from core.run import Run
from core.training.train import train
from tests.core.hard_tasks import Regression

QUICK = {
    "epochs": 1,
    "batch_size": 8,
    "steps_per_execution": 1,
    "learning_rate": 1e-9,
    "tensorboard": False,
    "rescues": 0,
}


class Turned(Regression):
    """The plain case, of any width, with any third of the examples as its test part."""

    units: int = Field(8, ge=1, description="hidden units")
    turn: int = Field(0, description="by how many places the parts change theirs")

    def load(self) -> Splits:
        splits = super().load()
        parts = [splits.train, splits.validation, splits.test]
        return Splits(*(parts[(place + self.turn) % 3] for place in range(3)), protocol="turned")

    def build(self, encoder: Any) -> keras.Model:
        inputs = keras.Input((4,), name="x")
        return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(self.units, "relu")(inputs)))


def experiment_of(leaks: str = "allow", seed: int = 0, **settings: object) -> Experiment:
    task = {"type": f"{__name__}.Turned", **settings}
    return experiment_from({"task": task, "fit": {**QUICK, "seed": seed}, "audit": {"leaks": leaks}})


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Run:
    return train(experiment_of(seed=1), tmp_path_factory.mktemp("source") / "run")


def largest_difference(one: Run, other: Run) -> float:
    pairs = zip(one.model.get_weights(), other.model.get_weights(), strict=True)
    return max(float(np.abs(first - second).max()) for first, second in pairs)


def test_a_training_begins_with_the_weights_of_the_run_that_it_starts_from(source, tmp_path):
    fresh = train(experiment_of(), tmp_path / "fresh")
    started = train(experiment_of(start=str(source.folder)), tmp_path / "started")
    assert largest_difference(started, source) < 1e-6
    assert largest_difference(fresh, source) > 0.01


def test_the_notes_say_what_a_training_started_from(source, tmp_path):
    run = train(experiment_of(start=str(source.folder)), tmp_path / "run")
    assert f"starts from {source.folder}" in run.metrics["data"]["notes"]


def test_test_examples_that_the_source_has_learnt_are_refused(source, tmp_path):
    with pytest.raises(UserError, match="32 test examples of sample stood in the training part of"):
        train(experiment_of("refuse", start=str(source.folder), turn=1), tmp_path / "run")


def test_test_examples_that_the_source_has_learnt_are_counted_where_they_are_allowed(source, tmp_path):
    run = train(experiment_of(start=str(source.folder), turn=1), tmp_path / "run")
    assert any("32 test examples stood in the training part" in note for note in run.metrics["data"]["notes"])


def test_a_model_that_no_layer_of_the_source_fits_is_refused(source, tmp_path):
    with pytest.raises(UserError, match="No layer of"):
        train(experiment_of(start=str(source.folder), units=5), tmp_path / "run")


def test_a_start_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="no run folder"):
        train(experiment_of(start="nowhere"), tmp_path / "run")

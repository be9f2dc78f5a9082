from __future__ import annotations

import time

import pytest

from core.experiment import experiment_from, load_experiment
from core.training.benchmark import benchmark, limit_of, possible_gigaflops
from tests import small_data
from tests.core.hard_tasks import Regression

SHARES = {"data": 0.0, "forward": 0.3, "backward": 0.6, "update": 0.1}


def test_the_shares_of_a_step_are_the_whole_of_it():
    report = benchmark(
        experiment_from(
            {
                "task": {"type": "tests.core.hard_tasks.Regression"},
                "fit": {"batch_size": 8, "tensorboard": False},
                "audit": {"leaks": "allow"},
            }
        ),
        steps=8,
    )
    assert report.steps == 8
    assert sum(report.shares.values()) == pytest.approx(1.0)
    assert set(report.shares) == set(SHARES)
    assert report.milliseconds["p50"] <= report.milliseconds["p90"] <= report.milliseconds["p99"]
    assert 0 < report.gigaflops < report.possible_gigaflops
    assert report.examples_per_second == pytest.approx(8000 / report.milliseconds["p50"])


def test_a_training_without_gradient_tells_the_time_of_its_sweeps(tmp_path):
    experiment = load_experiment("recommendation/ratings", [f"data={small_data.ratings(tmp_path)}"])
    report = benchmark(experiment, steps=2)
    assert report.steps == 2
    assert report.shares == {}
    assert report.examples_per_second is None


@pytest.mark.parametrize(
    ("shares", "gigaflops", "words"),
    [
        ({**SHARES, "data": 0.2}, 10.0, "waits for data 20%"),
        ({**SHARES, "update": 0.5}, 10.0, "optimizer takes 50%"),
        (SHARES, 60.0, "Arithmetic: 60%"),
        (SHARES, 10.0, "Small operations: 10%"),
        (SHARES, None, "can't count"),
        ({}, None, "Its steps are its own"),
    ],
)
def test_what_limits_a_step_is_said_in_words(shares, gigaflops, words):
    assert words in limit_of(shares, gigaflops, 100.0)


def test_a_machine_can_do_some_arithmetic():
    assert possible_gigaflops() > 0.1


def test_a_training_that_waits_for_its_data_is_reported(monkeypatch):
    whole = Regression.batches

    def slow(self, examples, encoder, feed):
        import tensorflow as tf

        def late(*batch):
            return tf.numpy_function(
                lambda x, y: (time.sleep(0.05), x, y)[1:], batch, [tf.float32, tf.float32]
            )

        def shaped(x, y):
            return tf.ensure_shape(x, (None, 4)), tf.ensure_shape(y, (None,))

        return whole(self, examples, encoder, feed).map(late).map(shaped)

    monkeypatch.setattr(Regression, "batches", slow)
    report = benchmark(
        experiment_from({"task": {"type": "tests.core.hard_tasks.Regression"}, "fit": {"batch_size": 8}}),
        steps=8,
    )
    assert report.shares["data"] > 0.3

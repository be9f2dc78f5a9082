from __future__ import annotations

import os

import keras
import numpy as np
import tensorflow as tf

from core import devices
from core.experiment import Experiment, experiment_from
from core.training.probe import probed
from core.training.train import train


def regression(**fit) -> Experiment:
    tree = {
        "task": {"type": "tests.core.hard_tasks.Regression"},
        "fit": {"epochs": 2, "batch_size": 8, "tensorboard": False, **fit},
        "audit": {"leaks": "allow"},
    }
    return experiment_from(tree)


def test_a_training_from_batches_on_the_device_ends_with_the_same_weights(tmp_path, monkeypatch):
    plain = train(regression(), tmp_path / "plain")
    monkeypatch.setattr(devices, "accelerator", lambda: "/CPU:0")
    ahead = train(regression(), tmp_path / "ahead")
    for one, other in zip(plain.model.get_weights(), ahead.model.get_weights(), strict=True):
        np.testing.assert_array_equal(other, one)
    assert "data_wait_share" in ahead.metrics


def test_batches_of_text_stay_where_they_are():
    texts = tf.data.Dataset.from_tensor_slices(["good", "bad"]).batch(2)
    assert devices.prefetched(texts, "/CPU:0") is texts


def test_without_an_accelerator_nothing_is_copied():
    batches = tf.data.Dataset.range(4).batch(2)
    assert devices.prefetched(batches, devices.accelerator()) is batches


def test_memory_grows_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
    devices.let_memory_grow()
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "false"
    assert os.environ.pop("XLA_PYTHON_CLIENT_PREALLOCATE") == "false"


def test_a_training_in_float16_scales_its_loss_and_learns():
    experiment = regression(precision="mixed_float16", learning_rate=0.1)
    splits = experiment.task.load()
    probe = probed(experiment, splits, experiment.task.encode(splits.train), steps=40)
    assert isinstance(probe.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert probe.loss < np.mean(splits.train["y"] ** 2)

from __future__ import annotations

import keras
import numpy as np
import pytest

from core.optimizers import FusedAdam


def weights_after(optimizer: keras.optimizers.Optimizer, layer: keras.layers.Layer, x: np.ndarray) -> list:
    """Return the weights of a net after three steps from always the same."""
    inputs = keras.Input(x.shape[1:], dtype=x.dtype.name)
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    model.compile(optimizer, "mse")
    for _ in range(3):
        model.train_on_batch(x, np.ones((len(x), 1), np.float32))
    return model.get_weights()


FEATURES = np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2},
        {"global_clipnorm": 0.1},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_momentum": 0.5},
        {"amsgrad": True},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)},
    ],
    ids=["plain", "other decays", "clipped", "accumulated", "averaged", "amsgrad", "scheduled"],
)
def test_its_values_are_those_of_adam(settings):
    settings = {"learning_rate": 0.1, **settings}
    expected = weights_after(keras.optimizers.Adam(**settings), keras.layers.Dense(4), FEATURES)
    received = weights_after(FusedAdam(**settings), keras.layers.Dense(4), FEATURES)
    for one, other in zip(expected, received, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def decaying(kind: type[keras.optimizers.Adam], **settings: object) -> keras.optimizers.Optimizer:
    """Return an optimizer that decays all weights but biases."""
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    optimizer = kind(rate, weight_decay=0.3, **settings)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize(
    "settings",
    [{}, {"gradient_accumulation_steps": 2}, {"amsgrad": True}],
    ids=["plain", "accumulated", "amsgrad"],
)
def test_with_weight_decay_its_values_are_those_of_adamw(settings):
    expected = weights_after(decaying(keras.optimizers.AdamW, **settings), keras.layers.Dense(4), FEATURES)
    received = weights_after(decaying(FusedAdam, **settings), keras.layers.Dense(4), FEATURES)
    for one, other in zip(expected, received, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def test_a_schedule_is_read_once_a_step_however_many_weights_decay():
    class Counted(keras.optimizers.schedules.LearningRateSchedule):
        """A constant rate that counts how often it is asked for."""

        calls = 0

        def __call__(self, step: object) -> float:
            self.calls += 1
            return 0.1

    weights = [keras.Variable([1.0, 2.0]) for _ in range(5)]
    rate = Counted()
    optimizer = FusedAdam(rate, weight_decay=0.1)
    optimizer.build(weights)
    rate.calls = 0
    optimizer.apply([keras.ops.ones(2)] * 5, weights)
    assert rate.calls == 1


def test_rows_that_are_looked_up_twice_get_the_sum_of_their_gradients():
    class WholeTable(keras.layers.Layer):
        """A table whose gradient is of all its rows."""

        def build(self, input_shape: object) -> None:
            self.table = self.add_weight(shape=(6, 3), name="table")

        def call(self, ids: object) -> object:
            return keras.ops.sum(keras.ops.matmul(keras.ops.one_hot(ids, 6), self.table), axis=1)

    class SomeRows(WholeTable):
        """One whose gradient is of those that are looked up."""

        def call(self, ids: object) -> object:
            return keras.ops.sum(keras.ops.take(self.table, ids, axis=0), axis=1)

    ids = np.array([[1, 1], [1, 4]], np.int32)
    expected = weights_after(keras.optimizers.Adam(0.1), WholeTable(), ids)
    received = weights_after(FusedAdam(0.1), SomeRows(), ids)
    for one, other in zip(expected, received, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def test_a_saved_model_goes_on_with_its_moments(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile(FusedAdam(0.1), "mse")
    model.train_on_batch(FEATURES, FEATURES[:, :1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.train_on_batch(FEATURES, FEATURES[:, :1])
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(other, one)

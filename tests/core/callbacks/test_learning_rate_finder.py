from __future__ import annotations

import keras
import numpy as np
import pytest

from core.callbacks import LearningRateFinder
from core.callbacks.learning_rate import schedule_of
from core.callbacks.learning_rate_finder import smoothed, suggested_rate
from core.callbacks.model_state import model_state
from core.data.feed import Feed

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def build(rate: object = 0.1) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.1), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=20, verbose=0)
    return model


def run(model: keras.Model, finder: LearningRateFinder) -> LearningRateFinder:
    data = Feed(3, training=True).batches(X, Y)
    model.fit(data, steps_per_epoch=finder.num_steps, shuffle=False, callbacks=[finder], verbose=0)
    return finder


@pytest.mark.parametrize("rate", [0.1, keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)])
def test_the_model_keeps_its_values(rate: object):
    model = build(rate)
    before = model_state(model)
    run(model, LearningRateFinder(1e-4, 10.0, num_steps=20))
    after = model_state(model)
    for name, value in before.items():
        if not name.startswith("metric"):
            np.testing.assert_array_equal(after[name], value, err_msg=name)
    assert not model.stop_training
    assert (schedule_of(model.optimizer) is None) == isinstance(rate, float)


@pytest.mark.parametrize("rate", [0.1, keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)])
def test_the_steps_are_made_with_the_values_of_the_rates(rate: object):
    class Weights(keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            self.values = [float(self.model.get_weights()[0][0, 0])]

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.values.append(float(self.model.get_weights()[0][0, 0]))

    # The loss w has gradient 1, so each step of SGD takes the rate off w.
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(rate), lambda y_true, y_pred: y_pred)
    model.set_weights([np.array([[7.0]])])
    weights, finder = Weights(), LearningRateFinder(0.001, 0.512, num_steps=10)
    model.fit(np.ones((10, 1)), np.ones((10, 1)), batch_size=1, callbacks=[weights, finder], verbose=0)
    np.testing.assert_allclose(finder.rates, 0.001 * 2.0 ** np.arange(10), rtol=1e-6)
    np.testing.assert_allclose(-np.diff(weights.values), finder.rates, atol=1e-5)
    np.testing.assert_allclose(finder.losses, weights.values[:-1], rtol=1e-6)


def test_the_test_ends_when_the_loss_explodes():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    finder = run(model, LearningRateFinder(1e-4, 1e4, num_steps=60))
    assert len(finder.losses) < 60
    assert 1e-3 < finder.suggestion < 1


def test_smoothing_takes_the_mean_of_neighbours():
    losses = np.arange(10.0) ** 2  # one neighbour to either side
    assert smoothed(losses)[[0, 3, 9]] == pytest.approx([1 / 2, (4 + 9 + 16) / 3, (64 + 81) / 2])


def test_the_steepest_fall_is_suggested():
    rates = np.geomspace(1e-4, 1.0, 200)
    losses = 3 - np.tanh(3 * (np.log10(rates) + 2))  # falls fastest at 1e-2
    assert suggested_rate(rates, losses) == pytest.approx(1e-2, rel=0.05)


@pytest.mark.parametrize("losses", [[1.0, 2.0, 3.0], [1.0, float("nan"), 0.0], []])
def test_no_rate_is_suggested_where_the_loss_never_falls(losses: list):
    assert suggested_rate(np.geomspace(1e-3, 1, max(len(losses), 1))[: len(losses)], np.array(losses)) is None


@pytest.mark.parametrize("bad", [{"min_rate": 0.0}, {"min_rate": 11.0}, {"num_steps": 9}])
def test_arguments_out_of_range_are_refused(bad: dict):
    with pytest.raises(ValueError, match="Received"):
        LearningRateFinder(**bad)


@pytest.mark.parametrize("rate", [0.1, keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)])
def test_steps_that_are_executed_together_share_the_value_of_the_first_rate(rate: object):
    class Weights(keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            self.values = [float(self.model.get_weights()[0][0, 0])]

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.values.append(float(self.model.get_weights()[0][0, 0]))

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(rate), lambda y_true, y_pred: y_pred, steps_per_execution=4)
    model.set_weights([np.array([[7.0]])])
    weights, finder = Weights(), LearningRateFinder(0.001, 0.016, num_steps=21)
    model.fit(np.ones((24, 1)), np.ones((24, 1)), batch_size=1, callbacks=[weights, finder], verbose=0)
    np.testing.assert_allclose(finder.rates, 0.001 * 16 ** (np.arange(0, 24, 4) / 20), rtol=1e-6)
    np.testing.assert_allclose(-np.diff(weights.values), 4 * finder.rates, atol=1e-5)
    # The mean of four losses, of which each is the weight before its step.
    np.testing.assert_allclose(finder.losses, np.array(weights.values[:-1]) - 1.5 * finder.rates, rtol=1e-5)


def test_several_optimizers_are_refused():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.MultiOptimizer(lambda _: keras.optimizers.SGD()), "mse")
    with pytest.raises(ValueError, match=r"one learning rate.*Received: MultiOptimizer\."):
        run(model, LearningRateFinder(num_steps=10))

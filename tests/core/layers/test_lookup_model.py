"""Models whose steps touch the looked-up rows alone, beside a NumPy reference and whole gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import LargeEmbedding, LookupModel, take_rows
from core.optimizers import LazyAdam, RowWiseAdagrad

IDS, OTHER_IDS = np.array([[1], [3], [1]], np.int32), np.array([[3], [5], [6]], np.int32)
START = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)


def twice(layer: keras.layers.Layer, optimizer: keras.optimizers.Optimizer) -> keras.Model:
    """Return a model that looks up the same table twice, and whose output is the sum of both rows."""
    inputs = [keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")]
    model = LookupModel(inputs, keras.layers.Add()([layer(each) for each in inputs]))
    model.layers[2].set_weights([START])
    model.compile(optimizer, "mse")
    return model


def trained(layer: keras.layers.Layer, optimizer: keras.optimizers.Optimizer) -> np.ndarray:
    """Return the table after one step."""
    model = twice(layer, optimizer)
    model.train_on_batch([IDS, OTHER_IDS], np.zeros((3, 1, 2), np.float32))
    return model.get_weights()[0]


def gradient() -> np.ndarray:
    """Return the gradient of the table, all that stands for a row added up."""
    error = 2 * (START[IDS[:, 0]] + START[OTHER_IDS[:, 0]]) / 6
    table = np.zeros_like(START)
    np.add.at(table, IDS[:, 0], error)
    np.add.at(table, OTHER_IDS[:, 0], error)
    return table


def test_several_lookups_of_one_table_have_the_value_of_the_sum():
    received = trained(LargeEmbedding(8, 2), RowWiseAdagrad(0.5, min_rows=8, epsilon=1e-12))
    of_rows = gradient()
    root = np.sqrt((of_rows**2).mean(axis=1, keepdims=True))
    expected = START - 0.5 * np.divide(of_rows, root, out=np.zeros_like(of_rows), where=root > 0)
    np.testing.assert_allclose(received, expected, rtol=1e-5)


def test_clipping_sees_the_value_of_the_norm_of_the_whole_gradient():
    # With an epsilon far above the gradients, Adam's first step is in proportion to them.
    clip, epsilon = 0.1, 1e3
    received = trained(LargeEmbedding(8, 2), LazyAdam(1.0, epsilon=epsilon, global_clipnorm=clip))
    clipped = gradient() * clip / np.linalg.norm(gradient())
    step = np.sqrt(1 - 0.999) / (1 - 0.9) * 0.1 * clipped / (np.sqrt(0.001) * np.abs(clipped) + epsilon)
    np.testing.assert_allclose(START - received, step, atol=2e-7)


class TiedEmbedding(LargeEmbedding):
    """A table that is looked up and also read as a whole."""

    def call(self, ids: object) -> object:
        return super().call(ids) + ops.mean(self.embeddings, axis=0)


class PenalisedEmbedding(LargeEmbedding):
    """A table whose looked-up rows add a loss."""

    def call(self, ids: object) -> object:
        rows = super().call(ids)
        self.add_loss(ops.sum(rows**2))
        return rows


@pytest.mark.parametrize("layer", [TiedEmbedding, PenalisedEmbedding])
@pytest.mark.parametrize("settings", [{}, {"gradient_accumulation_steps": 2}, {"use_ema": True}])
def test_the_first_step_has_the_value_of_adam_whatever_else_reads_the_table(layer, settings):
    tables = []
    for optimizer in (LazyAdam(0.1, **settings), keras.optimizers.Adam(0.1, **settings)):
        model = twice(layer(8, 2), optimizer)
        for _ in range(settings.get("gradient_accumulation_steps", 1)):
            model.train_on_batch([IDS[:1], OTHER_IDS[1:2]], np.zeros((1, 1, 2), np.float32))
        tables.append(model.get_weights()[0])
    np.testing.assert_allclose(tables[0], tables[1], atol=1e-5)


def test_fit_has_the_value_of_steps_one_by_one():
    y = np.zeros((3, 1, 2), np.float32)
    fitted, stepped = (twice(LargeEmbedding(8, 2), LazyAdam(0.1)) for _ in range(2))
    fitted.fit([IDS, OTHER_IDS], y, batch_size=1, shuffle=False, verbose=0)
    for row in range(3):
        stepped.train_on_batch([IDS[row : row + 1], OTHER_IDS[row : row + 1]], y[row : row + 1])
    np.testing.assert_array_equal(fitted.get_weights()[0], stepped.get_weights()[0])


def test_a_model_without_a_table_has_the_value_of_adam():
    weights = []
    for optimizer in (LazyAdam(0.1), keras.optimizers.Adam(0.1)):
        inputs = keras.Input((2,))
        model = LookupModel(inputs, keras.layers.Dense(1, kernel_initializer="ones")(inputs))
        model.compile(optimizer, "mse")
        model.train_on_batch(np.ones((4, 2)), np.zeros((4, 1)))
        weights.append(model.get_weights()[0])
    np.testing.assert_allclose(*weights, rtol=1e-6)


def test_rows_of_a_table_outside_of_training_have_the_value_that_was_set():
    table = keras.Variable(START)
    np.testing.assert_array_equal(ops.convert_to_numpy(take_rows(table, IDS)), START[IDS])

from __future__ import annotations

import keras
import numpy as np
import pytest

from core.layers import LargeEmbedding, LookupModel
from core.optimizers import RowWiseAdagrad


def model_with(optimizer: keras.optimizers.Optimizer) -> keras.Model:
    ids = keras.Input((1,), dtype="int32")
    vectors = LargeEmbedding(8, 2, name="table")(ids)
    model = LookupModel(ids, keras.layers.Dense(1, use_bias=False)(vectors))
    model.set_weights([np.ones((8, 2)), np.array([[1.0], [2.0]])])
    model.compile(optimizer, "mse")
    return model


def test_a_row_has_the_value_that_is_worked_by_hand():
    model = model_with(RowWiseAdagrad(0.5, min_rows=8, epsilon=1e-12))
    model.train_on_batch(np.array([[3], [3]], np.int32), np.ones((2, 1, 1), np.float32))
    # The error is 3 - 1 = 2 twice; the gradient of the row 2 * (2 * 2 * [1, 2]) / 2 = [4, 8], whose mean
    # square is 40.
    expected = np.ones((8, 2))
    expected[3] -= 0.5 * np.array([4, 8]) / np.sqrt(40)
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)


@pytest.mark.parametrize("batches", [1, 2], ids=["of rows", "of the whole table"])
def test_with_weight_decay_every_row_has_the_value_that_is_worked_by_hand(batches):
    # Gradients that are accumulated are of the whole table.
    accumulated = {"gradient_accumulation_steps": batches} if batches > 1 else {}
    model = model_with(RowWiseAdagrad(0.5, min_rows=8, epsilon=1e-12, weight_decay=0.2, **accumulated))
    for _ in range(batches):
        model.train_on_batch(np.array([[3], [3]], np.int32), np.ones((2, 1, 1), np.float32))
    expected = np.full((8, 2), 1 - 0.5 * 0.2)
    expected[3] -= 0.5 * np.array([4, 8]) / np.sqrt(40)
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)


def test_a_row_that_no_batch_names_keeps_its_value_and_its_accumulator():
    model = model_with(RowWiseAdagrad(0.5, min_rows=8))
    model.train_on_batch(np.array([[3], [5]], np.int32), np.zeros((2, 1, 1), np.float32))
    accumulator = next(each for each in model.optimizer.variables if each.shape == (8, 1))
    assert np.flatnonzero(np.asarray(accumulator)).tolist() == [3, 5]
    assert np.flatnonzero((model.get_weights()[0] != 1).any(axis=1)).tolist() == [3, 5]


def test_other_weights_have_the_value_of_adam():
    received = model_with(RowWiseAdagrad(0.1, min_rows=8))
    expected = model_with(keras.optimizers.Adam(0.1))
    for model in (received, expected):
        model.train_on_batch(np.array([[3], [5]], np.int32), np.zeros((2, 1, 1), np.float32))
    np.testing.assert_allclose(received.get_weights()[1], expected.get_weights()[1], rtol=1e-5)


def test_a_table_costs_one_number_a_row():
    optimizer = RowWiseAdagrad(min_rows=8)
    optimizer.build([keras.Variable(np.zeros((8, 100), np.float32))])
    assert sum(int(np.prod(variable.shape)) for variable in optimizer.variables) == 8 + 2


def test_a_saved_model_goes_on_to_the_same_values(tmp_path):
    model = model_with(RowWiseAdagrad(0.1, min_rows=8))
    x, y = np.array([[3], [5]], np.int32), np.ones((2, 1, 1), np.float32)
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.train_on_batch(x, y)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_averages_of_weights_are_kept_of_tables_too():
    model = model_with(RowWiseAdagrad(0.1, min_rows=8, use_ema=True))
    model.train_on_batch(np.array([[3]], np.int32), np.zeros((1, 1, 1), np.float32))
    model.optimizer.finalize_variable_values(model.trainable_variables)
    assert np.isfinite(model.get_weights()[0]).all()

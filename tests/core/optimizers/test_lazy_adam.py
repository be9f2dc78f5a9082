from __future__ import annotations

import keras
import numpy as np
import pytest

from core.layers import LargeEmbedding, LookupModel
from core.optimizers import LazyAdam


def model_with(optimizer: keras.optimizers.Optimizer, embedding: keras.layers.Layer) -> keras.Model:
    """Return a table with a net on it, of the same weights each time."""
    ids = keras.Input((2,), dtype="int32")
    hidden = keras.layers.Flatten()(embedding(ids))
    model = LookupModel(ids, keras.layers.Dense(1)(hidden))
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    model.compile(optimizer, "mse")
    return model


def weights_after(optimizer: keras.optimizers.Optimizer, batches: list[list[list[int]]], **kwargs) -> list:
    model = model_with(optimizer, kwargs.get("embedding") or LargeEmbedding(6, 3))
    for ids in batches:
        model.train_on_batch(np.array(ids, np.int32), np.ones((len(ids), 1), np.float32))
    return model.get_weights()


ONCE = [[[1, 2], [3, 5]]]
TWICE_THE_SAME_ROW = [[[1, 1], [3, 1]]]


@pytest.mark.parametrize("batches", [ONCE, TWICE_THE_SAME_ROW])
@pytest.mark.parametrize("clip", [{}, {"global_clipnorm": 0.1}, {"clipnorm": 0.1}, {"clipvalue": 0.01}])
def test_the_first_step_has_the_value_of_adam(batches, clip):
    # On a table whose gradient is of all rows: of some rows alone, Keras' Adam squares before it adds up.
    expected = weights_after(keras.optimizers.Adam(0.1, **clip), batches, embedding=Dense())
    received = weights_after(LazyAdam(0.1, **clip), batches)
    for one, other in zip(expected, received, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


class Dense(keras.layers.Layer):
    """A table whose gradient is of all its rows."""

    def build(self, input_shape: object) -> None:
        self.table = self.add_weight(shape=(6, 3), name="embeddings")

    def call(self, ids: object) -> object:
        return keras.ops.matmul(keras.ops.one_hot(ids, 6), self.table)


@pytest.mark.parametrize("batches", [ONCE, TWICE_THE_SAME_ROW])
@pytest.mark.parametrize("excluded", [[], ["embeddings"]], ids=["every weight", "but the table"])
def test_with_weight_decay_the_first_step_has_the_value_of_adamw(batches, excluded):
    weights = []
    for kind, table in ((keras.optimizers.AdamW, Dense(name="embeddings")), (LazyAdam, None)):
        optimizer = kind(0.1, weight_decay=0.3)
        optimizer.exclude_from_weight_decay(var_names=["bias", *excluded])
        weights.append(weights_after(optimizer, batches, embedding=table))
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def test_rows_that_no_batch_names_keep_their_value_and_moments():
    model = model_with(LazyAdam(0.1), LargeEmbedding(6, 3))
    before = model.get_weights()[0]
    for ids in ([[1, 2]], [[2, 2]]):
        model.train_on_batch(np.array(ids, np.int32), np.ones((1, 1), np.float32))
        last = model.get_weights()[0]
    assert np.flatnonzero((last != before).any(axis=1)).tolist() == [1, 2]
    moments = [variable for variable in model.optimizer.variables if variable.shape == (6, 3)]
    assert all(np.flatnonzero(np.asarray(each).any(axis=1)).tolist() == [1, 2] for each in moments)


def test_a_row_has_the_value_of_its_own_moments_and_the_number_of_all_steps():
    model = model_with(LazyAdam(0.1, epsilon=1e-7), LargeEmbedding(6, 3))
    gradients = []
    for ids in ([[1, 2]], [[3, 4]], [[1, 2]]):
        table, kernel, bias = model.get_weights()
        x = np.array(ids, np.int32)
        error = table[x].reshape(1, 6) @ kernel + bias - 1
        gradients.append((2 * error * kernel.T).reshape(2, 3)[0])  # of row 1, where the batch names it
        model.train_on_batch(x, np.ones((1, 1), np.float32))
    mean = 0.9 * 0.1 * gradients[0] + 0.1 * gradients[2]
    square = 0.999 * 0.001 * gradients[0] ** 2 + 0.001 * gradients[2] ** 2
    bias = np.sqrt(1 - 0.999**3) / (1 - 0.9**3)
    moved = model.get_weights()[0][1] - table[1]
    np.testing.assert_allclose(moved, -0.1 * bias * mean / (np.sqrt(square) + 1e-7), rtol=2e-3)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_saved_model_goes_on_to_the_same_values(steps, tmp_path):
    model = model_with(LazyAdam(0.1), LargeEmbedding(6, 3))
    x, y = np.array([[1, 2]], np.int32), np.ones((1, 1), np.float32)
    for _ in range(steps):
        model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.train_on_batch(x, y)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(other, one)


def test_amsgrad_is_refused():
    with pytest.raises(ValueError, match="amsgrad"):
        LazyAdam(amsgrad=True)

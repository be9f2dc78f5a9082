from __future__ import annotations

import keras
import numpy as np
import pytest

from core.layers import LargeEmbedding, LookupModel
from core.optimizers import LazyAdam

IDS = np.array([[0, 3, 1], [5, 3, 0], [2, 2, 4]])
START = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)


def pair(**settings: object) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """Return our layer and that of Keras with the same vectors."""
    layers = LargeEmbedding(6, 2, **settings), keras.layers.Embedding(6, 2, **settings)
    for layer in layers:
        layer.build((None, 3))
        layer.set_weights([START])
    return layers


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "float32", "float64"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_ids_of_every_dtype_have_the_values_of_keras(dtype, policy):
    received, expected = (layer(IDS.astype(dtype)) for layer in pair(dtype=policy))
    assert received.dtype == expected.dtype
    np.testing.assert_array_equal(
        *(keras.ops.convert_to_numpy(keras.ops.cast(each, "float32")) for each in (received, expected))
    )


def test_an_id_that_half_precision_would_round_has_its_own_value():
    layer = LargeEmbedding(300, 2, dtype="mixed_bfloat16")
    received = keras.ops.cast(layer(np.array([[257.0]], np.float32)), "float32")
    expected = keras.ops.cast(layer(np.array([[257]])), "float32")
    assert np.abs(np.asarray(expected)).max() > 0
    np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("mask_zero", [False, True])
def test_id_zero_is_masked_where_it_is_padding(mask_zero):
    masks = [layer.compute_mask(IDS) for layer in pair(mask_zero=mask_zero)]
    if mask_zero:
        np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(mask) for mask in masks))
    else:
        assert masks == [None, None]


def test_a_masked_mean_has_the_value_of_keras():
    means = []
    for layer in pair(mask_zero=True):
        inputs = keras.Input((3,), dtype="uint8")
        model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(layer(inputs)))
        means.append(model.predict_on_batch(IDS.astype("uint8")))
    np.testing.assert_allclose(*means, rtol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"embeddings_constraint": "non_neg"},
        {"embeddings_regularizer": "l1", "embeddings_constraint": keras.constraints.MaxNorm(0.5)},
    ],
    ids=["constrained", "regularised and constrained"],
)
def test_regularised_and_constrained_vectors_are_trained_to_the_values_of_keras(settings):
    weights = []
    # On a table of which no row is looked up twice, where Keras' Adam squares before it adds up.
    ids = np.array([[0, 3, 1], [5, 4, 2]], np.uint8)
    for layer, optimizer in zip(pair(**settings), (LazyAdam(0.1), keras.optimizers.Adam(0.1)), strict=True):
        inputs = keras.Input((3,), dtype="uint8")
        model = LookupModel(inputs, layer(inputs))
        model.compile(optimizer, "mse")
        losses = [model.train_on_batch(ids, np.ones((2, 3, 2), np.float32)) for _ in range(3)]
        weights.append((np.array(losses), model.get_weights()[0]))
    for received, expected in zip(*weights, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-5)


def test_it_comes_back_from_its_configuration():
    layer = LargeEmbedding(
        6,
        2,
        embeddings_initializer=keras.initializers.RandomNormal(0.1, seed=1),
        embeddings_regularizer=keras.regularizers.L2(0.3),
        embeddings_constraint=keras.constraints.MaxNorm(0.5),
        mask_zero=True,
        name="table",
    )
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    assert (again.embeddings_regularizer.l2, again.embeddings_constraint.max_value) == pytest.approx(
        (0.3, 0.5)
    )

from __future__ import annotations

import keras
import numpy as np
import pytest

from core.layers import FusedGRU

RANDOM = np.random.default_rng(0)
SEQUENCES = RANDOM.normal(size=(4, 7, 5)).astype(np.float32)
MASK = np.arange(7) < np.array([7, 3, 5, 1])[:, None]
# Left padding, a gap, no step at all, and right padding.
FIRST_STEPS_MASKED = np.array(
    [[0, 0, 1, 1, 1, 1, 1], [0, 1, 0, 1, 1, 0, 0], [0] * 7, [1, 1, 1, 0, 0, 0, 0]], dtype=bool
)
MASKS = pytest.mark.parametrize("mask", [None, MASK], ids=["all steps", "some steps"])


def pair(wrap=lambda layer: layer, **kwargs):
    """Return our layer and that of Keras with the same weights."""
    fused, plain = (wrap(cls(6, **kwargs)) for cls in (FusedGRU, keras.layers.GRU))
    for layer in (fused, plain):
        layer.build(SEQUENCES.shape)
    fused.set_weights([RANDOM.normal(0, 0.5, weight.shape) for weight in plain.get_weights()])
    plain.set_weights(fused.get_weights())
    return fused, plain


@MASKS
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
def test_all_values_are_those_of_keras(mask, backwards, zeros):
    layers = pair(
        return_sequences=True, return_state=True, go_backwards=backwards, zero_output_for_mask=zeros
    )
    for received, expected in zip(*(layer(SEQUENCES, mask=mask) for layer in layers), strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-5)


@MASKS
def test_the_last_value_is_that_of_keras(mask):
    fused, plain = pair()
    np.testing.assert_allclose(fused(SEQUENCES, mask=mask), plain(SEQUENCES, mask=mask), atol=1e-5)


def test_it_goes_on_from_a_state_as_keras_does():
    fused, plain = pair(return_sequences=True)
    state = RANDOM.normal(size=(4, 6)).astype(np.float32)
    received, expected = (layer(SEQUENCES, initial_state=state) for layer in (fused, plain))
    np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_bfloat16"])
def test_it_goes_on_from_a_state_over_masked_first_steps_with_the_values_of_keras(backwards, zeros, dtype):
    fused, plain = pair(
        return_sequences=True,
        return_state=True,
        go_backwards=backwards,
        zero_output_for_mask=zeros,
        dtype=dtype,
    )
    state = keras.ops.cast(RANDOM.normal(size=(4, 6)), fused.compute_dtype)
    for received, expected in zip(
        *(layer(SEQUENCES, initial_state=state, mask=FIRST_STEPS_MASKED) for layer in (fused, plain)),
        strict=True,
    ):
        received, expected = (keras.ops.cast(each, "float64") for each in (received, expected))
        np.testing.assert_allclose(received, expected, atol=5e-2 if dtype == "mixed_bfloat16" else 1e-5)


def test_gradients_over_masked_first_steps_are_those_of_keras():
    import tensorflow as tf

    gradients = []
    for layer in pair(return_sequences=True):
        state, sequences = tf.ones((4, 6)), tf.constant(SEQUENCES)
        with tf.GradientTape() as tape:
            tape.watch([state, sequences])
            loss = tf.reduce_sum(layer(sequences, initial_state=state, mask=FIRST_STEPS_MASKED) ** 3)
        gradients.append(
            tape.gradient(loss, [state, sequences, *(each.value for each in layer.trainable_weights)])
        )
    for received, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-4)


@pytest.mark.parametrize("kwargs", [{"activation": "relu"}, {"use_bias": False}, {"reset_after": False}])
def test_what_it_can_not_hasten_it_leaves_to_keras(kwargs):
    fused, plain = pair(return_sequences=True, **kwargs)
    np.testing.assert_allclose(fused(SEQUENCES), plain(SEQUENCES), atol=1e-5)


@MASKS
def test_gradients_are_those_of_keras_both_ways(mask):
    import tensorflow as tf

    gradients = []
    for layer in pair(keras.layers.Bidirectional, return_sequences=True):
        with tf.GradientTape() as tape:
            sequences = tf.constant(SEQUENCES)
            tape.watch(sequences)
            loss = tf.reduce_sum(tf.sin(3.0 * layer(sequences, mask=mask)))
        gradients.append(
            tape.gradient(loss, [sequences, *(weight.value for weight in layer.trainable_weights)])
        )
    for received, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-4)


def test_the_gradient_of_the_state_it_starts_from_is_that_of_keras():
    import tensorflow as tf

    gradients = []
    for layer in pair():
        state = tf.ones((4, 6))
        with tf.GradientTape() as tape:
            tape.watch(state)
            loss = tf.reduce_sum(layer(SEQUENCES, initial_state=state, mask=MASK) ** 2)
        gradients.append(tape.gradient(loss, state))
    np.testing.assert_allclose(*gradients, atol=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_net_trains_on_texts_of_any_length_to_the_weights_of_keras(compiled):
    weights = []
    for layer in pair(return_sequences=True):
        inputs = keras.Input((None, 5))
        model = keras.Model(inputs, layer(inputs))
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=compiled)
        for length in (7, 4):
            model.train_on_batch(SEQUENCES[:, :length], np.ones((4, length, 6), np.float32))
        weights.append(model.get_weights())
    for received, expected in zip(*weights, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-5)


def test_it_is_saved_and_loaded(tmp_path):
    inputs = keras.Input((7, 5))
    model = keras.Model(inputs, keras.layers.Bidirectional(FusedGRU(6))(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(SEQUENCES, verbose=0), model.predict(SEQUENCES, verbose=0))
    assert isinstance(loaded.layers[1].forward_layer, FusedGRU)

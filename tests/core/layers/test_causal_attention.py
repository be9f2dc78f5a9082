"""Attention to what came before: like Keras' own where distances don't matter, and blind to what follows."""

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import CausalAttention

INPUTS = np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")


def with_random_weights(layer: CausalAttention) -> CausalAttention:
    layer.build((None, None, 8))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def test_without_distances_it_is_keras_attention_with_a_causal_mask():
    ours = with_random_weights(CausalAttention(num_heads=2))
    keras_own = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    keras_own(INPUTS, INPUTS)
    inner, inner_bias, outer, outer_bias = ours.get_weights()
    split = [each.reshape(8, 2, 4) for each in np.split(inner, 3, axis=1)]
    biases = [each.reshape(2, 4) for each in np.split(inner_bias, 3)]
    query, key, value = zip(split, biases, strict=True)
    keras_own.set_weights([*query, *key, *value, outer.reshape(2, 4, 8), outer_bias])
    expected = keras_own(INPUTS, INPUTS, use_causal_mask=True)
    np.testing.assert_allclose(ops.convert_to_numpy(ours(INPUTS)), ops.convert_to_numpy(expected), atol=1e-4)


@pytest.mark.parametrize("num_distances", [0, 3])
def test_no_step_hears_of_what_comes_after_it(num_distances):
    layer = with_random_weights(CausalAttention(num_heads=2, num_distances=num_distances))
    changed = INPUTS.copy()
    changed[:, 3:] = 7.0
    before, after = (ops.convert_to_numpy(layer(each)) for each in (INPUTS, changed))
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-5)
    assert np.abs(before[:, 3:] - after[:, 3:]).max() > 0.1


def test_a_bias_draws_attention_to_steps_so_far_away():
    layer = CausalAttention(num_heads=1, num_distances=3)
    layer.build((None, None, 8))
    eye, zeros = np.eye(8, dtype="float32"), np.zeros((8, 8), "float32")
    distances = np.array([[0.0, 50.0, 0.0]], "float32")  # to the step just before
    layer.set_weights([np.hstack([zeros, zeros, eye]), np.zeros(24), eye, np.zeros(8), distances])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(INPUTS))[:, 1:], INPUTS[:, :-1], atol=1e-4)


def test_distances_beyond_the_last_are_as_the_last():
    layer = with_random_weights(CausalAttention(num_heads=1, num_distances=2))
    longer = CausalAttention(num_heads=1, num_distances=5)
    longer.build((None, None, 8))
    *weights, distances = layer.get_weights()
    longer.set_weights([*weights, distances[:, [0, 1, 1, 1, 1]]])
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(INPUTS)), ops.convert_to_numpy(longer(INPUTS)), atol=1e-5
    )


def test_a_width_that_does_not_divide_by_the_heads_is_refused():
    with pytest.raises(ValueError, match=r"3 heads\. Received: 8"):
        CausalAttention(num_heads=3).build((None, None, 8))


def test_a_layer_is_made_again_from_its_settings():
    layer = CausalAttention(num_heads=2, num_distances=3, dropout=0.1, seed=4)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()

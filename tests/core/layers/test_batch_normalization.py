from __future__ import annotations

import keras
import numpy as np
import pytest

from core.layers import FusedBatchNormalization

PICTURES = np.random.default_rng(0).normal(3, 2, (6, 5, 4, 3)).astype(np.float32)


def pair(shape=PICTURES.shape, dtype=None, **kwargs):
    """Return our layer and that of Keras, the latter in its own precision."""
    layers = (
        FusedBatchNormalization(momentum=0.5, dtype=dtype, **kwargs),
        keras.layers.BatchNormalization(
            momentum=0.5, dtype=None if dtype == "mixed_bfloat16" else dtype, **kwargs
        ),
    )
    for layer in layers:
        layer.build(shape)
        layer.gamma.assign([1.0, 2.0, 3.0])
        layer.beta.assign([0.5, 0.0, -0.5])
    return layers


@pytest.mark.parametrize("shape", [(6, 5, 4, 3), (6, 20, 3)])
def test_values_and_statistics_are_those_of_keras(shape):
    fused, plain = pair(shape)
    for training in (True, True, False):
        received, expected = (
            keras.ops.convert_to_numpy(layer(PICTURES.reshape(shape), training=training))
            for layer in (fused, plain)
        )
        np.testing.assert_allclose(received, expected, atol=2e-5)
    for received, expected in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"renorm": True},
        {"renorm": True, "renorm_clipping": {"rmax": 1.5, "rmin": 0.5, "dmax": 0.5}, "renorm_momentum": 0.8},
        {"dtype": "float64"},
        {"epsilon": 1e-7},
    ],
    ids=["renorm", "clipped renorm", "float64", "small epsilon"],
)
def test_what_the_operation_does_not_compute_has_the_values_of_keras(settings):
    fused, plain = pair(**settings)
    pictures = PICTURES * 1e-3 if "epsilon" in settings else PICTURES
    for training in (True, True, False):
        received, expected = (layer(pictures, training=training) for layer in (fused, plain))
        assert received.dtype == expected.dtype
        np.testing.assert_allclose(received, expected, atol=2e-5)
    for received, expected in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-5)


def test_another_axis_is_normalised_as_by_keras():
    fused, plain = FusedBatchNormalization(axis=1), keras.layers.BatchNormalization(axis=1)
    received, expected = (
        keras.ops.convert_to_numpy(layer(PICTURES, training=True)) for layer in (fused, plain)
    )
    np.testing.assert_allclose(received, expected, atol=2e-5)


def test_gradients_are_those_of_keras():
    import tensorflow as tf

    gradients = []
    for layer in pair():
        with tf.GradientTape() as tape:
            pictures = tf.constant(PICTURES)
            tape.watch(pictures)
            loss = tf.reduce_sum(layer(pictures, training=True) ** 3)
        gradients.append(tape.gradient(loss, [pictures, layer.gamma.value, layer.beta.value]))
    for received, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-3)


def test_a_frozen_layer_keeps_its_statistics():
    fused, _ = pair()
    fused.trainable = False
    before = fused.get_weights()
    fused(PICTURES, training=True)
    for received, expected in zip(fused.get_weights(), before, strict=True):
        np.testing.assert_array_equal(received, expected)


def test_bfloat16_keeps_its_statistics_in_single_precision():
    fused, plain = pair(dtype="mixed_bfloat16")
    assert fused(PICTURES, training=True).dtype.name == "bfloat16"
    plain(PICTURES, training=True)
    np.testing.assert_allclose(fused.moving_mean, plain.moving_mean, rtol=1e-2)

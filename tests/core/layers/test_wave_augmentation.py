from __future__ import annotations

import keras
import numpy as np
import pytest

from core.layers import RandomNoise, RandomSpeed
from core.layers.wave_augmentation import RandomWaveLayer

RATE = 8000
TONE = np.tile(np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE), (32, 1)).astype("float32")
LAYERS = [RandomSpeed(0.2, 0.1, seed=1), RandomNoise(1.0, 0.0, 20.0, seed=1)]


def changed(layer: keras.layers.Layer, waves: np.ndarray = TONE) -> np.ndarray:
    return keras.ops.convert_to_numpy(layer(waves, training=True))


def loudest_hertz(waves: np.ndarray) -> np.ndarray:
    window = np.hanning(RATE // 2)
    middle = waves[:, RATE // 4 : RATE // 4 + RATE // 2] * window
    return np.abs(np.fft.rfft(middle, 8 * RATE)).argmax(axis=1) / 8


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_outside_training_waves_stay_as_they_are(layer):
    np.testing.assert_array_equal(layer(TONE), TONE)


def test_speed_values_move_a_tone_up_and_down_by_no_more_than_asked():
    hertz = loudest_hertz(changed(RandomSpeed(0.2, 0.0, seed=0)))
    assert 500 / 1.2 - 1 <= hertz.min() < 450
    assert 550 < hertz.max() <= 500 * 1.2 + 1


def test_shift_values_move_a_click_both_ways_and_leave_silence_behind():
    click = np.zeros((64, 1001), "float32")
    click[:, 500] = 1
    places = changed(RandomSpeed(0.0, 0.2, seed=0), click).argmax(axis=1)
    assert 300 <= places.min() < 350
    assert 650 < places.max() <= 700
    assert np.abs(changed(RandomSpeed(0.0, 1.0, seed=0))).min(axis=1).max() == 0


def test_no_speed_and_no_shift_leave_values_as_they_are():
    np.testing.assert_allclose(changed(RandomSpeed(0.0, 0.0)), TONE, atol=1e-6)


def test_noise_values_have_the_power_asked_for():
    added = changed(RandomNoise(1.0, 10.0, 10.0, seed=0)) - TONE
    ratio = 10 * np.log10(np.mean(TONE**2, axis=1) / np.mean(added**2, axis=1))
    np.testing.assert_allclose(ratio, 10, atol=0.5)


def test_noise_values_reach_the_share_of_waves_asked_for():
    same = np.all(changed(RandomNoise(0.5, seed=0)) == TONE, axis=1)
    assert 6 < same.sum() < 26


def test_noise_on_silence_is_silence():
    assert np.all(changed(RandomNoise(1.0), np.zeros((4, 100), "float32")) == 0)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_wave_layers_round_trip_through_their_config(layer):
    copies = [type(layer).from_config(layer.get_config()) for _ in range(2)]
    assert copies[0].get_config() == layer.get_config()
    np.testing.assert_array_equal(changed(copies[0]), changed(copies[1]))


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (RandomSpeed, {"speed": 1.0}),
        (RandomSpeed, {"shift": 2.0}),
        (RandomNoise, {"probability": 1.5}),
        (RandomNoise, {"min_ratio": 30.0, "max_ratio": 10.0}),
    ],
)
def test_wave_layers_refuse_arguments_out_of_range(layer, arguments):
    with pytest.raises(ValueError, match="Received"):
        layer(**arguments)


def test_a_layer_that_does_not_say_how_it_changes_waves_can_not_be_made():
    with pytest.raises(TypeError, match="augment"):
        RandomWaveLayer()

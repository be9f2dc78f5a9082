from __future__ import annotations

import keras
import numpy as np
import pytest

from core.layers import RandomEqualizer, SpecAugment

ONES = np.ones((64, 50, 40), "float32")


def masked(**arguments: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(SpecAugment(seed=0, **arguments)(ONES, training=True))


def test_outside_training_nothing_is_hidden():
    np.testing.assert_array_equal(SpecAugment(seed=0)(ONES), ONES)


def test_masked_values_are_whole_stretches_of_frames_and_bands_no_longer_than_asked():
    hidden = masked(num_masks=1, time_share=0.2, frequency_share=0.1) == 0
    frames, bands = hidden.all(axis=2), hidden.all(axis=1)
    np.testing.assert_array_equal(hidden, frames[:, :, None] | bands[:, None, :])
    assert frames.sum(axis=1).max() in (9, 10)
    assert bands.sum(axis=1).max() in (3, 4)
    for stretch in (*frames, *bands):
        assert np.abs(np.diff(np.pad(stretch.astype(int), 1))).sum() in (0, 2)


def test_every_spectrogram_has_masks_with_values_of_its_own():
    assert len(np.unique(masked().reshape(64, -1), axis=0)) > 60


def test_no_masks_leave_values_as_they_are():
    np.testing.assert_array_equal(masked(num_masks=0), ONES)


def test_spec_augment_round_trips_through_its_config():
    layer = SpecAugment(num_masks=3, time_share=0.3, frequency_share=0.2, seed=4)
    copy = SpecAugment.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(ONES, training=True), layer(ONES, training=True))


@pytest.mark.parametrize("arguments", [{"num_masks": -1}, {"time_share": 1.5}, {"frequency_share": -0.1}])
def test_spec_augment_refuses_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match="Received"):
        SpecAugment(**arguments)


def equalized(strength: float = 0.5, num_bands: int = 41) -> np.ndarray:
    spectrograms = np.zeros((500, 3, num_bands), "float32")
    return keras.ops.convert_to_numpy(RandomEqualizer(strength, seed=0)(spectrograms, training=True))


def test_equalizer_values_are_the_same_in_all_frames_and_differ_between_spectrograms():
    curves = equalized()
    np.testing.assert_array_equal(curves[:, 0], curves[:, 2])
    assert len(np.unique(curves[:, 0], axis=0)) == 500


def test_equalizer_values_are_a_slope_and_a_bow_of_the_strength_asked_for():
    place = np.linspace(-1, 1, 41)
    bow, slope, level = np.polyfit(place, equalized(0.5)[:, 0].T, 2)
    assert np.std(slope) == pytest.approx(0.5, rel=0.15)
    assert np.std(bow) == pytest.approx(0.5, rel=0.15)
    np.testing.assert_allclose(level, -bow / 3, atol=1e-5)


def test_outside_training_and_at_no_strength_the_equalizer_leaves_values_as_they_are():
    np.testing.assert_array_equal(RandomEqualizer(0.5)(ONES), ONES)
    np.testing.assert_array_equal(RandomEqualizer(0.0)(ONES, training=True), ONES)


def test_equalizer_round_trips_through_its_config_and_refuses_a_negative_strength():
    layer = RandomEqualizer(0.3, seed=4)
    copy = RandomEqualizer.from_config(layer.get_config())
    np.testing.assert_array_equal(copy(ONES, training=True), layer(ONES, training=True))
    with pytest.raises(ValueError, match="Received"):
        RandomEqualizer(-1.0)

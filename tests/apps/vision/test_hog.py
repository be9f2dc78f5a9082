from __future__ import annotations

import numpy as np
import pytest

from apps.vision.hog import oriented_gradients


def ramp(degrees: float, side: int = 28) -> np.ndarray:
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    height = columns * np.cos(np.radians(degrees)) + rows * np.sin(np.radians(degrees))
    return np.uint8(np.round(128 + 3 * (height - height.mean())))[None, ..., None]


def test_there_is_a_feature_for_each_direction_of_each_cell_of_each_block():
    assert oriented_gradients(np.zeros((3, 28, 28, 1), np.uint8)).shape == (3, 6 * 6 * 4 * 9)
    assert oriented_gradients(np.zeros((3, 40, 33, 3), np.uint8)).shape == (3, 6 * 6 * 4 * 9)


def test_a_plain_picture_has_no_gradients():
    assert not oriented_gradients(np.full((1, 28, 28, 1), 99, np.uint8)).any()


@pytest.mark.parametrize("degrees", [0, 20, 60, 100, 160])
def test_a_ramp_at_the_middle_of_a_bin_fills_that_bin_alone(degrees):
    cells = oriented_gradients(ramp(degrees)).reshape(36, 4, 9).mean(axis=(0, 1))
    assert cells.argmax() == degrees // 20
    # Each of the four cells of a block holds one direction: 1 / sqrt(4) of the unit length.
    assert cells.max() == pytest.approx(0.5, abs=0.02)


def test_a_ramp_between_two_bins_is_shared_by_both():
    cells = oriented_gradients(ramp(30)).reshape(36, 4, 9).mean(axis=(0, 1))
    assert cells[1] == pytest.approx(1 / np.sqrt(8), abs=0.05)
    assert cells[2] == pytest.approx(1 / np.sqrt(8), abs=0.05)


def test_directions_opposite_to_each_other_are_one():
    np.testing.assert_allclose(oriented_gradients(ramp(45)), oriented_gradients(255 - ramp(45)), atol=1e-4)


def test_light_and_contrast_make_no_difference():
    random = np.random.default_rng(0)
    dark = random.integers(0, 100, (2, 28, 28, 1), np.uint8)
    np.testing.assert_allclose(oriented_gradients(dark), oriented_gradients(2 * dark + 40), atol=1e-3)


def test_the_strongest_channel_counts():
    random = np.random.default_rng(0)
    grey = random.integers(0, 200, (2, 28, 28, 1), np.uint8)
    coloured = np.concatenate([np.full_like(grey, 7), grey, grey // 2], axis=-1)
    np.testing.assert_array_equal(oriented_gradients(coloured), oriented_gradients(grey))

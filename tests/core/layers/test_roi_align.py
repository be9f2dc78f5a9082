from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from core.layers import RoIAlign


def slope(height: int, width: int, stride: int) -> np.ndarray:
    """Return a level that holds the middles of its places, in pixels: x and y."""
    y, x = (np.mgrid[:height, :width] + 0.5) * stride
    return np.stack([x, y], axis=-1)[None].astype("float32")


def test_maps_of_places_are_read_at_the_middles_of_the_cells() -> None:
    levels = [slope(8, 8, 8), slope(4, 4, 16)]
    boxes = np.array([[[10.0, 12.0, 30.0, 40.0], [8.0, 8.0, 56.0, 56.0]]], "float32")
    seen = keras.ops.convert_to_numpy(RoIAlign(4, [8, 16])(levels, boxes))
    for box, grid in zip(boxes[0], seen[0], strict=True):
        shares = (np.arange(4) + 0.5) / 4
        np.testing.assert_allclose(grid[0, :, 0], box[0] + shares * (box[2] - box[0]), rtol=1e-5)
        np.testing.assert_allclose(grid[:, 0, 1], box[1] + shares * (box[3] - box[1]), rtol=1e-5)


def test_values_between_places_are_those_of_bilinear_interpolation() -> None:
    level = np.random.default_rng(0).normal(size=(1, 6, 5, 1)).astype("float32")
    box = np.array([5.0, 9.0, 31.0, 35.0])
    seen = keras.ops.convert_to_numpy(RoIAlign(3, [8])([level], box.reshape(1, 1, 4)))[0, 0, :, :, 0]
    shares = (np.arange(3) + 0.5) / 3
    across, down = (box[place] + shares * (box[place + 2] - box[place]) for place in (0, 1))
    places = np.stack(np.meshgrid(down / 8 - 0.5, across / 8 - 0.5, indexing="ij"))
    np.testing.assert_allclose(seen, map_coordinates(level[0, ..., 0], places, order=1), rtol=1e-4, atol=1e-5)


def test_a_box_is_read_from_the_level_whose_stride_is_nearest_to_its_cells() -> None:
    levels = [np.full((1, side, side, 1), float(number), "float32") for number, side in enumerate((8, 4, 2))]
    boxes = np.array([[[0, 0, 16, 16], [0, 0, 32, 32], [0, 0, 64, 64], [0, 0, 0, 0]]], "float32")
    seen = keras.ops.convert_to_numpy(RoIAlign(2, [8, 16, 32])(levels, boxes))
    assert seen[0, :, 0, 0, 0].tolist() == [0.0, 1.0, 2.0, 0.0]


def test_each_picture_of_a_batch_is_read_from_its_own_maps() -> None:
    level = np.arange(3, dtype="float32").reshape(3, 1, 1, 1) * np.ones((3, 4, 4, 1), "float32")
    boxes = np.tile(np.array([4.0, 4.0, 20.0, 20.0], "float32"), (3, 2, 1))
    seen = keras.ops.convert_to_numpy(RoIAlign(2, [8])([level], boxes))
    assert seen.mean(axis=(1, 2, 3, 4)).tolist() == [0.0, 1.0, 2.0]


def test_it_comes_back_from_its_configuration() -> None:
    layer = RoIAlign(7, [8, 16])
    assert RoIAlign.from_config(layer.get_config()).get_config() == layer.get_config()


def test_sizes_without_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RoIAlign(0, [8])

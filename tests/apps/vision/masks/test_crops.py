from __future__ import annotations

import numpy as np
import pytest

from apps.vision.any_size.reading import examples_of
from apps.vision.masks.crops import Bending, Crops


def crops(bending: Bending | None = None, size: int = 16, shape: tuple[int, int] = (48, 40)) -> Crops:
    """Return crops of a picture that is light where its mask is 1, with an edge on a slant."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    mask = (x + y > sum(shape) // 2).astype(np.uint8)
    picture = (200 * mask + 20).astype(np.uint8)[..., None]
    return Crops(examples_of([picture], ["a"], "here"), [mask], size, bending)


@pytest.mark.parametrize(
    "bending",
    [
        None,
        Bending(flip="both"),
        Bending(turn=180),
        Bending(zoom=0.3),
        Bending(elastic=3),
        Bending(flip="horizontal", turn=30, zoom=0.2, elastic=2),
    ],
    ids=str,
)
def test_a_mask_follows_its_picture(bending):
    pictures, masks = crops(bending).cut(20, [1, 2])
    assert pictures.shape == (20, 16, 16, 1)
    assert masks.shape == (20, 16, 16)
    # Between pixels a picture is blended, and a mask is not: only at the edge may they differ.
    assert np.mean((pictures[..., 0] > 120) == masks) > 0.98
    assert 0.2 < masks.mean() < 0.8


def test_crops_are_a_function_of_their_seed():
    bending = Bending("both", 30, 0.2, 3, 0.2)
    first, again, other = (crops(bending).cut(6, seed) for seed in ([1, 2], [1, 2], [1, 3]))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert (first[0] != other[0]).any()


def test_a_picture_smaller_than_a_crop_is_mirrored_at_its_edges():
    pictures, masks = crops(shape=(10, 12)).cut(1, [0])
    np.testing.assert_array_equal(pictures[0, 10:16, :12], pictures[0, 4:10, :12][::-1])
    np.testing.assert_array_equal(masks[0, :10, 12:16], masks[0, :10, 8:12][:, ::-1])


def test_light_changes_pictures_and_leaves_masks():
    plain, bright = crops(), crops(Bending(light=0.5))
    pictures, masks = bright.cut(10, [0])
    assert len(np.unique(pictures)) > 4
    assert set(np.unique(masks)) <= {0, 1}
    assert len(np.unique(plain.cut(10, [0])[0])) == 2

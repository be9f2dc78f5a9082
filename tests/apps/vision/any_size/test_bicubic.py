from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.vision.any_size.bicubic import resized, rounded
from apps.vision.restoring.colour import ycbcr

SET5 = Path(__file__).parents[4] / "../shared/data/vision/set5/HR"


def by_definition(signal: np.ndarray, length: int) -> list[float]:
    """Return a resized row, each number by the sum over all pixels, mirrored for ever at both ends."""
    scale = length / len(signal)
    stretch = max(1 / scale, 1.0)
    mirrored = np.concatenate([signal, signal[::-1]])
    answer = []
    for place in range(length):
        centre = (place + 0.5) / scale - 0.5
        total = weight = 0.0
        for pixel in range(int(centre - 4 * stretch), int(centre + 4 * stretch) + 1):
            x = abs(pixel - centre) / stretch
            near = 1.5 * x**3 - 2.5 * x**2 + 1
            far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            share = near if x <= 1 else far if x <= 2 else 0.0
            total += share * mirrored[pixel % len(mirrored)]
            weight += share
        answer.append(total / weight)
    return answer


@pytest.mark.parametrize("length", [1, 4, 6, 11, 12, 25, 48])
def test_a_row_is_resized_as_the_definition_says(length):
    signal = np.random.default_rng(0).integers(0, 256, 12).astype(float)
    np.testing.assert_allclose(
        resized(signal[None], (1, length))[0], by_definition(signal, length), atol=1e-3
    )


def test_rows_and_columns_are_resized_alike():
    picture = np.random.default_rng(0).integers(0, 256, (9, 15, 3), np.uint8)
    turned = resized(picture.swapaxes(0, 1), (5, 6)).swapaxes(0, 1)
    np.testing.assert_allclose(resized(picture, (6, 5)), turned, atol=1e-3)


def test_a_picture_of_its_own_size_stays_as_it_is():
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(resized(picture, (3, 4)), picture)


@pytest.mark.skipif(not SET5.is_dir(), reason="Set5 is not here")
@pytest.mark.parametrize(("scale", "published"), [(2, 33.66), (3, 30.39), (4, 28.42)])
def test_bicubic_interpolation_of_set5_is_as_good_as_published(scale, published):
    reached = []
    for path in sorted(SET5.glob("*.png")):
        luma = rounded(ycbcr(np.asarray(Image.open(path).convert("RGB")))[..., 0])
        height, width = (length // scale * scale for length in luma.shape)
        true = luma[:height, :width]
        low = resized(true, (height // scale, width // scale))
        error = (rounded(resized(low, true.shape)) - true.astype(float))[scale:-scale, scale:-scale]
        reached.append(10 * np.log10(255**2 / np.mean(error**2)))
    assert round(np.mean(reached), 2) == published

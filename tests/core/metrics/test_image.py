from __future__ import annotations

import numpy as np
import pytest
import skimage.color
import skimage.metrics

from core.metrics import PSNR, SSIM
from core.metrics.image import luma
from tests.core.metrics.streaming import BATCH_SIZES, figure

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 256, (9, 24, 20, 3)).astype(np.uint8)
NOISY = np.clip(TRUE + RANDOM.normal(0, 20, TRUE.shape), 0, 255).astype(np.uint8)
LIKENESS = {
    PSNR: lambda a, b: skimage.metrics.peak_signal_noise_ratio(a, b, data_range=255),
    SSIM: lambda a, b: skimage.metrics.structural_similarity(
        a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    ),
}


def by_scikit_image(metric, border):
    inside = slice(border, -border or None)
    lumas = [skimage.color.rgb2ycbcr(images)[:, inside, inside, 0] for images in (TRUE, NOISY)]
    return np.array([LIKENESS[metric](a, b) for a, b in zip(*lumas, strict=True)])


def test_luma_is_scikit_images():
    np.testing.assert_allclose(np.asarray(luma(TRUE)), skimage.color.rgb2ycbcr(TRUE)[..., 0], atol=1e-3)


@pytest.mark.parametrize("metric", LIKENESS)
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_likeness_has_the_mean_value_of_scikit_images_on_luma_without_the_border(metric, batch_size):
    received = figure(metric(border=2), TRUE, NOISY, batch_size)
    assert received == pytest.approx(by_scikit_image(metric, 2).mean(), rel=1e-4)


@pytest.mark.parametrize("metric", LIKENESS)
def test_likeness_with_weights_is_the_weighted_mean_of_pictures(metric):
    weights = np.array([0, 1, 0, 2, 0, 0, 1, 0, 0])
    expected = np.average(by_scikit_image(metric, 0), weights=weights)
    assert figure(metric(), TRUE, NOISY, 7, weights) == pytest.approx(expected, rel=1e-4)


def test_a_scale_to_one_is_like_a_scale_to_255():
    scaled = figure(PSNR(max_value=1.0), TRUE / 255.0, NOISY / 255.0, 9)
    assert scaled == pytest.approx(by_scikit_image(PSNR, 0).mean(), rel=1e-4)


def test_equal_pictures_are_at_the_limit():
    assert figure(PSNR(limit=80.0), TRUE, TRUE, 9) == pytest.approx(80.0, rel=1e-5)


def test_pictures_of_two_channels_are_refused():
    with pytest.raises(ValueError, match=r"1 or 3 channels. Received: shape \(9, 24, 20, 2\)"):
        PSNR().update_state(TRUE[..., :2], NOISY[..., :2])


def test_pictures_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape. Received: \(9, 24, 20, 3\) and \(9, 23, 20, 3\)"):
        PSNR().update_state(TRUE, NOISY[:, 1:])


def test_pictures_smaller_than_the_window_are_refused():
    with pytest.raises(ValueError, match=r"11 x 11 or more. Received: shape \(9, 14, 10\) without border=5"):
        SSIM(border=5).update_state(TRUE, NOISY)

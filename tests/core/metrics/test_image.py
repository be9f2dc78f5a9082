from __future__ import annotations

import keras
import numpy as np
import pytest
import skimage.color
import skimage.metrics

from core.metrics import PSNR, SSIM
from core.metrics.image import luma

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 256, (9, 24, 20, 3)).astype(np.uint8)
NOISY = np.clip(TRUE + RANDOM.normal(0, 20, TRUE.shape), 0, 255).astype(np.uint8)
LIKENESS = {
    PSNR: lambda a, b: skimage.metrics.peak_signal_noise_ratio(a, b, data_range=255),
    SSIM: lambda a, b: skimage.metrics.structural_similarity(
        a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    ),
}


def counted(metric, true, predicted, batch_size):
    for start in range(0, len(true), batch_size):
        metric.update_state(true[start : start + batch_size], predicted[start : start + batch_size])
    return float(metric.result())


def test_luma_value_is_scikit_images():
    np.testing.assert_allclose(
        np.asarray(luma(TRUE))[..., 0], skimage.color.rgb2ycbcr(TRUE)[..., 0], atol=1e-3
    )


@pytest.mark.parametrize("metric", LIKENESS)
@pytest.mark.parametrize("batch_size", [4, 9])
def test_value_is_the_mean_of_scikit_images_on_luma_without_the_border(metric, batch_size):
    lumas = [skimage.color.rgb2ycbcr(images)[:, 2:-2, 2:-2, 0] for images in (TRUE, NOISY)]
    expected = np.mean([LIKENESS[metric](a, b) for a, b in zip(*lumas, strict=True)])
    assert counted(metric(border=2), TRUE, NOISY, batch_size) == pytest.approx(expected, rel=1e-4)


def test_value_on_a_scale_to_one_is_that_on_a_scale_to_255():
    scaled = counted(PSNR(max_value=1.0), TRUE / 255.0, NOISY / 255.0, 9)
    assert scaled == pytest.approx(counted(PSNR(), TRUE, NOISY, 9), rel=1e-4)


def test_equal_pictures_have_the_limit_as_value():
    assert counted(PSNR(limit=80.0), TRUE, TRUE, 9) == pytest.approx(80.0, rel=1e-5)


def test_pictures_of_two_channels_are_refused():
    with pytest.raises(ValueError, match="1 or 3 channels"):
        PSNR().update_state(TRUE[..., :2], NOISY[..., :2])


@pytest.mark.parametrize("metric", [PSNR(border=3, limit=90.0), SSIM(border=3, max_value=1.0)])
def test_a_metric_comes_back_from_its_configuration(metric):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()

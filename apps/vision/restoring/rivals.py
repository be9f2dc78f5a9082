"""What pictures are restored by without learning: interpolation, non-local means, wavelets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from apps.vision.any_size.bicubic import resized
from apps.vision.restoring.degradation import Degradation

Rival = Callable[[np.ndarray], np.ndarray]
STRENGTHS = (0.6, 0.8, 1.0)  # of non-local means, as shares of the noise
WEAK = tuple(2.0 ** np.arange(0, 5))  # levels of noise that what JPEG does is taken for


def rivals(degradation: Degradation) -> Mapping[str, list[Rival]]:
    """Return each rival by name, from degraded planes to restored ones, in the forms it may be tuned to.

    Args:
        degradation: What was done to the pictures.
    """
    if degradation.kind == "resolution":
        scale = degradation.scale
        return {
            "bicubic": [lambda low: resized(low, (scale * low.shape[0], scale * low.shape[1]))],
            "Lanczos": [lambda low: _lanczos(low, scale)],
        }
    if degradation.kind == "noise":
        noise = degradation.judged_noise
        return {
            "non-local means": [_means(noise, strength) for strength in STRENGTHS],
            "wavelets": [_wavelets(noise)],
        }
    return {
        "as it is": [lambda planes: planes],
        "non-local means": [_means(noise, 0.8) for noise in WEAK],
        "wavelets": [_wavelets(noise) for noise in WEAK],
    }


def _lanczos(low: np.ndarray, scale: int) -> np.ndarray:
    from PIL import Image

    size = (scale * low.shape[1], scale * low.shape[0])
    enlarged = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size, Image.Resampling.LANCZOS))
        for plane in np.moveaxis(low, -1, 0)
    ]
    return np.stack(enlarged, axis=-1)


def _means(noise: float, strength: float) -> Rival:
    def restored(planes: np.ndarray) -> np.ndarray:
        from skimage.restoration import denoise_nl_means

        sigma = noise / 255
        kept = denoise_nl_means(
            planes.squeeze(-1) / 255 if planes.shape[-1] == 1 else planes / 255,
            patch_size=5,
            patch_distance=6,
            h=max(strength * sigma, 1e-6),
            sigma=sigma,
            fast_mode=True,
            channel_axis=-1 if planes.shape[-1] > 1 else None,
        )
        return 255 * kept.reshape(planes.shape)

    return restored


def _wavelets(noise: float) -> Rival:
    def restored(planes: np.ndarray) -> np.ndarray:
        from skimage.restoration import denoise_wavelet

        kept = [
            denoise_wavelet(plane / 255, sigma=noise / 255, method="BayesShrink", mode="soft")
            for plane in np.moveaxis(planes, -1, 0)
        ]
        return 255 * np.stack(kept, axis=-1)

    return restored

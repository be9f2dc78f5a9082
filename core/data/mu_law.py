"""The mu-law: waves in a few levels, finer where they are soft, as hearing is; needs NumPy alone."""

from __future__ import annotations

import numpy as np


def mu_law_levels(wave: np.ndarray, num_levels: int = 256) -> np.ndarray:
    """Return the level of each sample.

    Source: ITU-T Recommendation G.711 (1988), in the continuous form.

    Args:
        wave: Float, full scale at 1; what is beyond counts as full scale.
        num_levels: At least 2.

    Returns:
        int32, 0 to `num_levels - 1`, of the shape of the wave.

    Example:

    >>> mu_law_levels(np.array([-1.0, -0.01, 0.0, 0.01, 1.0])).tolist()
    [0, 98, 128, 157, 255]
    """
    mu = num_levels - 1
    clipped = np.clip(np.asarray(wave, np.float64), -1, 1)
    companded = np.sign(clipped) * np.log1p(mu * np.abs(clipped)) / np.log1p(mu)
    return np.floor((companded + 1) / 2 * mu + 0.5).astype(np.int32)


def mu_law_wave(levels: np.ndarray, num_levels: int = 256) -> np.ndarray:
    """Return the samples that levels stand for, float64, full scale at 1.

    Args:
        levels: Integers, 0 to `num_levels - 1`.
        num_levels: At least 2.

    Example:

    >>> np.round(mu_law_wave(np.array([0, 98, 128, 255])), 3).tolist()
    [-1.0, -0.01, 0.0, 1.0]
    """
    mu = num_levels - 1
    companded = 2 * np.asarray(levels, np.float64) / mu - 1
    return np.sign(companded) * np.expm1(np.abs(companded) * np.log1p(mu)) / mu

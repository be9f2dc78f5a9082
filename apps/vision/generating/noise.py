"""What pictures are drawn from, noise by seed and the way from one to another; and what they become."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def noise_of(seeds: Sequence[int], size: int) -> np.ndarray:
    """Return standard normal noise, float32 of shape `(num_seeds, size)`, a function of each seed alone.

    Example:

    >>> bool((noise_of([3, 5], 4)[1] == noise_of([5], 4)[0]).all())
    True
    """
    return np.stack([np.random.default_rng(seed).normal(size=size) for seed in seeds]).astype(np.float32)


def between(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """Return noise on the way between two, as long as they are: along the sphere, not through its middle.

    Args:
        start: Floats, shape `(num_rows, size)`.
        end: Floats, shape `(num_rows, size)` or `(1, size)`.
        share: How far to go, 0 to 1.

    Reference:
        White, 2016, Sampling Generative Networks, https://arxiv.org/abs/1609.04468

    Example:

    >>> between(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 0.5).round(3).tolist()
    [[0.707, 0.707]]
    """
    lengths = np.linalg.norm(start, axis=1) * np.linalg.norm(end, axis=1)
    cosine = (start * end).sum(axis=1) / np.maximum(lengths, 1e-12)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))[:, None]
    if np.all(angle < 1e-4):
        return start
    sine = np.maximum(np.sin(angle), 1e-6)
    way = np.sin((1 - share) * angle) / sine * start + np.sin(share * angle) / sine * end
    return np.where(angle < 1e-4, start, way).astype(start.dtype)


def as_levels(pictures: np.ndarray) -> np.ndarray:
    """Return pictures of [-1, 1] as uint8.

    Example:

    >>> as_levels(np.array([-1.0, 0.0, 1.0])).tolist()
    [0, 128, 255]
    """
    return ((pictures + 1) * 127.5).round().clip(0, 255).astype(np.uint8)

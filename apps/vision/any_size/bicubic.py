"""Resizing as MATLAB's `imresize` does it, on which published figures of super-resolution rest."""

from __future__ import annotations

import functools
import math

import numpy as np

REACH = 2.0  # of the kernel, in pixels of the smaller picture
ROWS_AT_ONCE = 512


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a picture in another size, by cubic convolution that is widened to antialias where it shrinks.

    Pillow's and TensorFlow's bicubic filters treat the edges otherwise, and differ by tenths of a decibel.

    Args:
        picture: Shape `(height, width, ...)`.
        size: Height and width to bring it to.

    Returns:
        float32, shape `(*size, ...)`; not rounded, and beyond the range of the pixels where the filter
        overshoots.

    Source: Keys, Cubic Convolution Interpolation for Digital Image Processing (1981), a = -0.5; edges are
    mirrored, and both axes scaled by their own factor, as in MATLAB.

    Example:

    >>> resized(np.array([[0, 0, 255, 255]], np.uint8), (1, 2)).round().tolist()
    [[14.0, 241.0]]
    """
    narrower = picture.shape[1] * size[0] < picture.shape[0] * size[1]
    # MATLAB takes the axis that shrinks most first; the order changes nothing but rounding.
    axes = (0, 1) if narrower else (1, 0)
    for axis in axes:
        picture = _along(picture, axis, size[axis])
    return picture


def rounded(values: np.ndarray) -> np.ndarray:
    """Return numbers as the levels of a picture file, uint8."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _along(picture: np.ndarray, axis: int, length: int) -> np.ndarray:
    """Return a picture resized along one axis, block by block, in bounded memory."""
    if picture.shape[axis] == length:
        return picture.astype(np.float32)
    weights, places = _filters(picture.shape[axis], length)
    moved = np.moveaxis(picture, axis, 0)
    resized = np.empty((length, *moved.shape[1:]), np.float32)
    for start in range(0, length, ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        total = np.zeros(resized[block].shape, np.float32)
        for weight, place in zip(weights[block].T, places[block].T, strict=True):
            total += weight.reshape(-1, *[1] * (moved.ndim - 1)) * moved[place]
        resized[block] = total
    return np.moveaxis(resized, 0, axis)


@functools.lru_cache(maxsize=64)
def _filters(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights and the places of the pixels that each new pixel is made of.

    Returns:
        float32 and int64, both of shape `(new, taps)`.
    """
    scale = new / old
    widened = min(scale, 1.0)
    centres = (np.arange(new) + 0.5) / scale - 0.5
    taps = math.ceil(2 * REACH / widened) + 2
    places = np.floor(centres - REACH / widened).astype(np.int64)[:, None] + np.arange(taps)
    weights = widened * _kernel(widened * (centres[:, None] - places))
    weights /= weights.sum(axis=1, keepdims=True)
    used = np.any(weights != 0, axis=0)
    mirrored = np.concatenate([np.arange(old), np.arange(old)[::-1]])
    return weights[:, used].astype(np.float32), mirrored[places[:, used] % (2 * old)]


def _kernel(distance: np.ndarray) -> np.ndarray:
    near, x = np.abs(distance), np.abs(distance)
    inner = 1.5 * near**3 - 2.5 * near**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(near <= 1, inner, np.where(near <= REACH, outer, 0.0))

"""Histograms of oriented gradients, the strong simple features of pictures before nets."""

from __future__ import annotations

import math

import numpy as np

from core.data.larger_than_memory import blocks

CELLS = 7
ORIENTATIONS = 9
LARGEST_SHARE = 0.2


def oriented_gradients(pictures: np.ndarray) -> np.ndarray:
    """Return how strong the edges of each direction are in each region of each picture.

    After Dalal and Triggs, Histograms of Oriented Gradients for Human Detection (2005): 9 unsigned directions
    in 7 x 7 cells, whatever the size of the picture, in overlapping blocks of 2 x 2 cells, each scaled to
    unit length and clipped (L2-Hys). Of a coloured picture the channel with the strongest gradient counts.

    Args:
        pictures: uint8, shape `(num_examples, height, width, channels)`, at least 2 x 2.

    Returns:
        float32, shape `(num_examples, num_features)`; 1,296 features from 7 x 7 pixels on.

    Example:

    >>> upright = np.zeros((1, 28, 28, 1), np.uint8)
    >>> upright[:, :, 14:] = 255
    >>> cells = oriented_gradients(upright).reshape(36, 4, 9)
    >>> np.flatnonzero(cells.sum(axis=(0, 1))).tolist()
    [0]
    """
    # Of each pixel there are several numbers in single precision at a time.
    histograms: np.ndarray | None = None
    for chunk in blocks(len(pictures), row_bytes=32 * math.prod(pictures.shape[1:])):
        features = _features(pictures[chunk])
        histograms = (
            np.empty((len(pictures), features.shape[1]), np.float32) if histograms is None else histograms
        )
        histograms[chunk] = features
    return np.zeros((0, 0), np.float32) if histograms is None else histograms


def _features(pictures: np.ndarray) -> np.ndarray:
    strength, angle = _gradients(pictures.astype(np.float32))
    place = angle / np.pi * ORIENTATIONS
    cells = []
    for orientation in range(ORIENTATIONS):
        away = np.abs(place - orientation)
        share = np.maximum(1 - np.minimum(away, ORIENTATIONS - away), 0)
        cells.append(_sum_over_cells(share * strength))
    return _normalised_blocks(np.stack(cells, axis=-1))


def _gradients(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient's strength and its direction in [0, pi), each `(num_examples, height, width)`."""
    down, right = np.gradient(pictures, axis=(1, 2))
    squared = down**2 + right**2
    strongest = squared.argmax(axis=-1)[..., None]
    down, right, squared = (
        np.take_along_axis(values, strongest, -1)[..., 0] for values in (down, right, squared)
    )
    return np.sqrt(squared), np.arctan2(down, right) % np.pi


def _sum_over_cells(values: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        size = values.shape[axis]
        starts = np.linspace(0, size, min(CELLS, size), endpoint=False).astype(int)
        values = np.add.reduceat(values, starts, axis=axis)
    return values


def _normalised_blocks(cells: np.ndarray) -> np.ndarray:
    above, below = cells[:, :-1], cells[:, 1:]
    blocks = np.stack([above[:, :, :-1], above[:, :, 1:], below[:, :, :-1], below[:, :, 1:]], axis=3)
    blocks = blocks.reshape(*blocks.shape[:3], -1)
    clipped = np.minimum(_unit(blocks), LARGEST_SHARE)
    return _unit(clipped).reshape(len(blocks), -1)


def _unit(blocks: np.ndarray) -> np.ndarray:
    # Of the size of one grey level, so that a plain block is nothing and not noise.
    return blocks / np.sqrt(np.square(blocks).sum(axis=-1, keepdims=True) + 1e-4)

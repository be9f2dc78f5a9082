"""Whether generated pictures are copies: their nearest training pictures, pixel by pixel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LOOKED_AT = 100  # pictures whose nearest is looked for
NEAR = 0.05  # share of training pictures that have another one as near as what counts as a copy
BLOCK = 4096


class Copies(NamedTuple):
    """What generated pictures are nearest to.

    Args:
        nearest: The training picture nearest to each, uint8, of the shape of the generated ones.
        share: Of those that are nearer to it than 95% of training pictures are to another one.
    """

    nearest: np.ndarray
    share: float


def copies(generated: np.ndarray, training: np.ndarray) -> Copies:
    """Return the training pictures that generated ones are nearest to, and how many count as copies.

    Args:
        generated: uint8, shape `(num_generated, height, width, channels)`.
        training: uint8, of the same shape; two at least.

    Example:

    >>> training = np.arange(0, 200, 10, np.uint8).reshape(20, 1, 1, 1)
    >>> copies(np.array([[[[101]]], [[[119]]]], np.uint8), training).nearest.ravel().tolist()
    [100, 120]
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(training))[:LOOKED_AT])
    among_training, _ = _nearest(training[chosen], training, chosen)
    distances, rows = _nearest(generated, training)
    return Copies(training[rows], float((distances < np.quantile(among_training, NEAR)).mean()))


def _nearest(
    pictures: np.ndarray, training: np.ndarray, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared distance to the nearest training picture, and its row; a picture is not its own."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32) / 255
    best, rows = np.full(len(flat), np.inf, np.float32), np.zeros(len(flat), np.int64)
    for start in range(0, len(training), BLOCK):
        block = training[start : start + BLOCK].reshape(-1, flat.shape[1]).astype(np.float32) / 255
        distances = np.square(flat).sum(1)[:, None] + np.square(block).sum(1) - 2 * flat @ block.T
        if own is not None:
            here = (own >= start) & (own < start + BLOCK)
            distances[here, own[here] - start] = np.inf
        nearer = distances.min(axis=1) < best
        rows[nearer] = start + distances.argmin(axis=1)[nearer]
        best = np.minimum(best, distances.min(axis=1))
    return np.maximum(best, 0), rows

"""Luma and chroma as digital video has them (ITU-R BT.601), the planes that a net restores; NumPy alone."""

from __future__ import annotations

import numpy as np

# Of RGB from 0 to 255: luma from 16 to 235, chroma from 16 to 240, as MATLAB's rgb2ycbcr gives them.
MATRIX = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], np.float32
) / np.float32(255)
OFFSET = np.array([16, 128, 128], np.float32)
INVERSE = np.linalg.inv(MATRIX.astype(np.float64)).astype(np.float32)


def ycbcr(picture: np.ndarray) -> np.ndarray:
    """Return luma and chroma of a colour picture, and a grey picture as it is.

    Args:
        picture: From 0 to 255, shape `(height, width, channels)`, 1 or 3 channels.

    Returns:
        float32, of the same shape, not rounded.

    Example:

    >>> ycbcr(np.full((1, 1, 3), 255, np.uint8)).round(2).tolist()
    [[[235.0, 128.0, 128.0]]]
    """
    values = picture.astype(np.float32)
    return values if picture.shape[-1] == 1 else values @ MATRIX.T + OFFSET


def rgb(planes: np.ndarray) -> np.ndarray:
    """Return the colours of luma and chroma, and a grey plane as it is; float32, not rounded."""
    return planes if planes.shape[-1] == 1 else (planes - OFFSET) @ INVERSE.T

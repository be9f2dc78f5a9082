"""One take of each word that all others are laid along, so that a net learns what comes where in a word."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

TRIED = 5  # takes of about the usual length, of which that most like them all is taken


def reference_of(takes: Sequence[np.ndarray]) -> np.ndarray:
    """Return the take of a word that is the most like the others of about the usual length.

    Args:
        takes: Frames of each, float, shape `(num_frames, num_features)`.
    """
    lengths = np.array([len(take) for take in takes])
    usual = np.argsort(np.abs(lengths - np.median(lengths)), kind="stable")[:TRIED]
    apart = [sum(_cost(takes[one], takes[other]) for other in usual) for one in usual]
    return takes[int(usual[int(np.argmin(apart))])]


def positions(take: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return where in the reference each frame of a take is, 0 to 1, float32, by dynamic time warping.

    Args:
        take: Frames, shape `(num_frames, num_features)`.
        reference: Likewise, of the same word.
    """
    path = _warped(_distances(take, reference))
    sums = np.bincount(path[:, 0], path[:, 1], len(take))
    return (sums / np.bincount(path[:, 0], minlength=len(take)) / max(len(reference) - 1, 1)).astype(
        np.float32
    )


def _cost(one: np.ndarray, other: np.ndarray) -> float:
    distances = _distances(one, other)
    path = _warped(distances)
    return float(distances[path[:, 0], path[:, 1]].mean())


def _warped(distances: np.ndarray) -> np.ndarray:
    from core.metrics.sound import (
        dynamic_time_warping,
    )  # which brings Keras, and the list of tasks needs none

    return dynamic_time_warping(distances)


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.sqrt(((one[:, None].astype(np.float64) - other[None]) ** 2).sum(axis=2))


def packed(frames: np.ndarray) -> str:
    """Return frames as text, in half precision."""
    return base64.b64encode(frames.astype("<f2").tobytes()).decode("ascii")


def unpacked(text: str, num_features: int) -> np.ndarray:
    """Return frames from text, float32, shape `(num_frames, num_features)`."""
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32).reshape(-1, num_features)

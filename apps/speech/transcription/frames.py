"""How many frames a recogniser makes of a sound."""

from __future__ import annotations

from typing import Any

import numpy as np

FRAME_SECONDS, HOP_SECONDS = 0.025, 0.01  # of the spectrogram


def frames_of(num_samples: np.ndarray, window: int, hop: int, stages: int) -> np.ndarray:
    """Return how many frames come out of the net for so many samples.

    Args:
        num_samples: Whole numbers.
        window: Samples of one frame of the spectrogram.
        hop: Samples from one frame of the spectrogram to the next.
        stages: Convolutions that each leave every second frame.

    Example:

    >>> frames_of(np.array([100, 400, 16000]), 400, 160, stages=2).tolist()
    [0, 1, 25]
    """
    frames = np.maximum((num_samples - window + hop) // hop, 0)
    for _ in range(stages):
        frames = halved(frames)
    return frames


def halved(length: Any) -> Any:
    """Return how many frames a convolution leaves that takes every second one."""
    return (length + 1) // 2

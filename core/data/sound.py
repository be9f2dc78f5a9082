"""One sound as numbers; needs NumPy and soxr alone, so that exports take it along."""

from __future__ import annotations

import numpy as np


def one_channel(sound: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """Return a sound as one channel at another rate.

    Args:
        sound: float, shape `(num_samples, num_channels)`, full scale at 1.
        rate: Its samples a second.
        sample_rate: Those that are wanted.

    Returns:
        int16, shape `(num_samples,)`.

    Raises:
        ValueError: It has no length, or holds values that are not numbers.

    Example:

    >>> one_channel(np.array([[0.5, 0.0], [1.0, -1.0]]), 8000, 8000).tolist()
    [8192, 0]
    """
    import soxr

    if not np.isfinite(sound).all():
        raise ValueError("it holds values that are not numbers")
    mono = sound.mean(axis=1) if sound.shape[1] > 1 else sound[:, 0]
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate)
    if not len(mono):
        raise ValueError("it has no length")
    # The scale of 16-bit files, so that their samples come out as they are.
    return np.clip(np.round(mono * 32768), -32768, 32767).astype(np.int16)


def in_window(wave: np.ndarray, num_samples: int) -> np.ndarray:
    """Return what a window hears of a wave: a short one in its middle, of a long one the loudest stretch.

    Args:
        wave: Shape `(num_samples_of_the_wave,)`.
        num_samples: Length of the window.

    Example:

    >>> in_window(np.array([3, 4]), 5).tolist()
    [0, 3, 4, 0, 0]
    >>> in_window(np.array([1, 1, 9, 2, 1]), 2).tolist()
    [9, 2]
    """
    missing = num_samples - len(wave)
    if missing >= 0:
        window = np.zeros(num_samples, wave.dtype)
        window[missing // 2 : missing // 2 + len(wave)] = wave
        return window
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    start = int(np.argmax(energy[num_samples:] - energy[:-num_samples]))
    return wave[start : start + num_samples]

"""One sound as numbers; needs NumPy and soxr alone, so that exports can take it along."""

from __future__ import annotations

import numpy as np

FLOATS = ("FLOAT", "DOUBLE")  # the formats of samples whose number of bits does not say their full scale
INTEGER_SCALES = (2.0**15, 2.0**23, 2.0**31)
MOST_OVER = 2.0  # of the full scale by the loudest sample
CANCELLED = 0.1  # of the power that independent channels would leave


def learnt_full_scale(peak: float) -> float:
    """Return the full scale of a set of recordings with floats for samples.

    Args:
        peak: The largest sample of them all.

    Raises:
        ValueError: It can't be known.

    Example:

    >>> learnt_full_scale(0.7), learnt_full_scale(32767.0)
    (1.0, 32768.0)
    """
    if peak <= MOST_OVER:
        return 1.0
    scale = next((scale for scale in INTEGER_SCALES if peak <= MOST_OVER * scale), None)
    if scale is None or peak < 2.0**8:
        raise ValueError(f"their floats go up to {peak:g}, which is neither about 1 nor a range of integers")
    return scale


def at_full_scale(sound: np.ndarray, subtype: str, full_scale: float) -> np.ndarray:
    """Return the samples of a file with full scale at 1.

    Args:
        sound: As soundfile reads it, which brings integers to that scale itself.
        subtype: What soundfile calls the format of the samples.
        full_scale: That of floats in the recordings of the training.

    Raises:
        ValueError: Its own is another.
    """
    if subtype not in FLOATS:
        return sound
    peak = float(np.abs(sound).max(initial=0.0))
    # What is very quiet among integers is a few of them, and no fractions.
    is_fraction = full_scale > 1 and peak <= MOST_OVER and not np.array_equal(sound, np.round(sound))
    if peak > MOST_OVER * full_scale or is_fraction:
        raise ValueError(
            f"its full scale can't be known: its floats go up to {peak:g}, and those of the training have a "
            f"full scale of {full_scale:g}"
        )
    return sound / np.float32(full_scale) if full_scale != 1 else sound


def one_channel(sound: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    """Return a sound as one channel at another rate: the mean of its channels.

    Where these cancel each other, as in opposite phases, the loudest channel alone is heard.

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
    >>> one_channel(np.array([[0.5, -0.5], [0.25, -0.25]]), 8000, 8000).tolist()
    [16384, 8192]
    """
    import soxr

    if not np.isfinite(sound).all():
        raise ValueError("it holds values that are not numbers")
    mono = _mixed(sound) if sound.shape[1] > 1 else sound[:, 0]
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate)
    if not len(mono):
        raise ValueError("it has no length")
    # The scale of 16-bit files, so that their samples come out as they are.
    return np.clip(np.round(mono * 32768), -32768, 32767).astype(np.int16)


def _mixed(sound: np.ndarray) -> np.ndarray:
    """Return the mean of the channels, or the loudest of them where too little is left of them all."""
    mean = sound.mean(axis=1)
    powers = np.square(sound, dtype=np.float64).sum(axis=0)
    left = np.square(mean, dtype=np.float64).sum()
    return sound[:, np.argmax(powers)] if left < CANCELLED * powers.sum() / sound.shape[1] ** 2 else mean


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

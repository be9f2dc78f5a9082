"""Functionals: what loudness, pitch and spectrum of a recording are like on the whole; NumPy alone."""

from __future__ import annotations

import numpy as np

WINDOW_SECONDS, HOP_SECONDS = 0.04, 0.01
NUM_BANDS = 26
NUM_COEFFICIENTS = 13
LOWEST_HERTZ, HIGHEST_HERTZ = 60.0, 450.0  # of a voice
VOICED = 0.35  # autocorrelation from which a frame has a pitch
SOFT = 30.0  # decibels below the loudest frame, where speech ends
PERCENTILES = (5, 25, 50, 75, 95)


def functionals(wave: np.ndarray, sample_rate: int, bands: np.ndarray) -> np.ndarray:
    """Return means, deviations and percentiles over time of what describes a voice.

    Source: after Eyben et al., The Geneva Minimalistic Acoustic Parameter Set (2016), from fewer descriptors.

    Args:
        wave: int16, shape `(num_samples,)`.
        sample_rate: Samples a second.
        bands: From `mel_bands` for the spectrum of a window, shape `(num_bins, NUM_BANDS)`.

    Returns:
        float64, shape `(num_functionals,)`.
    """
    frames = _frames(wave, sample_rate)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]), axis=1))) @ bands
    logs = np.log(power / max(power.max(), 1e-12) + 1e-6)
    loudness = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-9)
    loudness -= loudness.max()
    pitch, strength = _pitches(frames, sample_rate)
    speech = loudness > -SOFT
    voiced = speech & (strength > VOICED)
    coefficients = _cosine(logs)
    described = [
        *_of(loudness[speech]),
        *_of(np.diff(loudness[speech])),
        *_of(strength[speech]),
        *_of(12 * np.log2(pitch[voiced] / 100)),
        *_of(np.diff(12 * np.log2(pitch[voiced]))),
        voiced.mean(),
        speech.mean(),
        _changes(voiced) / (len(wave) / sample_rate),
    ]
    for column in coefficients[speech].T:
        described += _of(column)
    for column in np.diff(coefficients[speech], axis=0).T:
        described += [column.std() if len(column) else 0.0]
    return np.array(described)


def _frames(wave: np.ndarray, sample_rate: int) -> np.ndarray:
    length, hop = round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    padded = np.pad(wave.astype(np.float64) / 32768, (0, max(length - len(wave), 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def _pitches(frames: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pitch of each frame in Hertz, and how periodic it is, by normalised autocorrelation."""
    centred = frames - frames.mean(axis=1, keepdims=True)
    size = 2 ** int(np.ceil(np.log2(2 * frames.shape[1])))
    correlated = np.fft.irfft(np.square(np.abs(np.fft.rfft(centred, size, axis=1))), axis=1)
    # What is left of a frame at a lag is shorter.
    left = 1 - np.arange(frames.shape[1]) / frames.shape[1]
    correlated = correlated[:, : frames.shape[1]] / np.maximum(left, 0.1)
    correlated /= np.maximum(correlated[:, :1], 1e-9)
    first, last = int(sample_rate / HIGHEST_HERTZ), int(sample_rate / LOWEST_HERTZ)
    lags = correlated[:, first:last]
    # The shortest lag at a peak that is nearly the highest, so that no multiple of the period is taken.
    before, after = correlated[:, first - 1 : last - 1], correlated[:, first + 1 : last + 1]
    good = (lags >= 0.9 * lags.max(axis=1, keepdims=True)) & (lags >= before) & (lags >= after)
    best = np.where(good.any(axis=1), good.argmax(axis=1), lags.argmax(axis=1))
    return sample_rate / (first + best), lags.max(axis=1)


def _cosine(logs: np.ndarray) -> np.ndarray:
    """Return the first cosine coefficients of log spectra, as cepstra are made."""
    place = (np.arange(logs.shape[1]) + 0.5) * np.pi / logs.shape[1]
    return logs @ np.cos(np.arange(NUM_COEFFICIENTS)[None] * place[:, None]) / logs.shape[1]


def _of(values: np.ndarray) -> list[float]:
    if not len(values):
        return [0.0] * (2 + len(PERCENTILES))
    return [float(values.mean()), float(values.std()), *np.percentile(values, PERCENTILES).tolist()]


def _changes(voiced: np.ndarray) -> int:
    return int((voiced[1:] & ~voiced[:-1]).sum())

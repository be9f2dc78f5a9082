"""Likeness of sounds: how far spectra are apart, in decibels."""

from __future__ import annotations

import numpy as np

FRAME_SECONDS = 0.025
HOP_SECONDS = 0.01
NUM_MELS = 40
NUM_CEPSTRA = 13
SILENCE = 1e-10
"""Power below which everything is silence: about a tenth of a 16-bit step of white noise."""


def spectrogram(wave: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the power of a wave in each frame and at each frequency; full scale is about 1.

    Args:
        wave: Float, shape `(num_samples,)`, full scale at 1. A frame that is not full is filled with silence.
        sample_rate: Samples a second.

    Returns:
        float64, shape `(num_frames, num_bins)`, one frame at least; the bins go from 0 to half the rate.

    Example:

    >>> spectrogram(np.sin(np.arange(8000) * 0.5), 8000).shape
    (99, 129)
    """
    length, hop = round(FRAME_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    num_frames = 1 + max(-(-(len(wave) - length) // hop), 0)
    padded = np.zeros(length + (num_frames - 1) * hop)
    padded[: len(wave)] = wave
    window = np.hanning(length)
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop] * window
    return np.abs(np.fft.rfft(frames, 2 ** int(np.ceil(np.log2(length)))) * 2 / window.sum()) ** 2


def mel_cepstra(wave: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the shape of the spectrum of each frame, without its loudness.

    Args:
        wave: Float, shape `(num_samples,)`, full scale at 1.
        sample_rate: Samples a second.

    Returns:
        float64, shape `(num_frames, 13)`: of `log(power) = c[0] + 2 * sum(c[m] * cos(pi * m * mel))` the
        coefficients from 1 on, where `mel` goes from 0 to 1 over 40 bands of equal width on the mel scale.

    Source: Davis and Mermelstein, Comparison of parametric representations for monosyllabic word recognition
    (1980); the scale is `2595 log10(1 + f / 700)`.
    """
    power = spectrogram(wave, sample_rate)
    levels = np.log(np.maximum(power @ _mel_bands(power.shape[1], sample_rate), SILENCE))
    mel = (np.arange(NUM_MELS) + 0.5) / NUM_MELS
    return levels @ np.cos(np.pi * np.outer(mel, np.arange(1, NUM_CEPSTRA + 1))) / NUM_MELS


def _mel_bands(num_bins: int, sample_rate: int) -> np.ndarray:
    """Return triangles over the bins of a spectrum, shape `(num_bins, NUM_MELS)`."""
    top = 2595 * np.log10(1 + sample_rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, NUM_MELS + 2) / 2595) - 1)
    hertz = np.linspace(0, sample_rate / 2, num_bins)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    bands = np.maximum(np.minimum(rising, falling), 0.0)
    # A band narrower than the bins would be empty: it gets the nearest.
    empty = np.flatnonzero(bands.sum(axis=0) == 0)
    bands[np.abs(hertz - edges[1:-1][empty]).argmin(axis=0), empty] = 1.0
    return bands


def dynamic_time_warping(distances: np.ndarray) -> np.ndarray:
    """Return the pairs of frames by which one sound follows another at the least sum of distances.

    Args:
        distances: Of each frame of the one with each of the other, shape `(num_frames, num_others)`, neither
            of them 0. Time and memory grow with its size.

    Returns:
        int, shape `(num_pairs, 2)`, from the first pair of frames to the last; each step goes on by one frame
        of either or of both.

    Source: Sakoe and Chiba, Dynamic programming algorithm optimization for spoken word recognition (1978),
    with steps of equal weight.

    Example:

    >>> dynamic_time_warping(np.array([[0.0, 5.0], [0.0, 5.0], [5.0, 0.0]])).tolist()
    [[0, 0], [1, 0], [2, 1]]
    """
    rows, columns = distances.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    # What lies on one diagonal depends only on the two before it.
    for diagonal in range(2, rows + columns + 1):
        row = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        column = diagonal - row
        before = np.minimum(total[row - 1, column - 1], total[row - 1, column])
        total[row, column] = distances[row - 1, column - 1] + np.minimum(before, total[row, column - 1])
    row, column = rows, columns
    path = [(row - 1, column - 1)]
    while (row, column) != (1, 1):
        steps = ((row - 1, column - 1), (row - 1, column), (row, column - 1))
        row, column = min(steps, key=lambda step: total[step])
        path.append((row - 1, column - 1))
    return np.array(path[::-1])


def mel_cepstral_distortion(predicted: np.ndarray, true: np.ndarray, sample_rate: int) -> float:
    """Return how far two sounds are apart in timbre, in decibels, however fast each is.

    It is the root mean square difference of two smooth spectra on the mel scale, freed of their loudness,
    averaged over the frames that dynamic time warping pairs. Values are comparable only among figures of the
    same frames, bands and coefficients: here 25 ms every 10 ms, 40 bands, 13 coefficients.

    Args:
        predicted: Float, shape `(num_samples,)`, full scale at 1.
        true: Likewise, of any length.
        sample_rate: Samples a second of both.

    Source: Kubichek, Mel-cepstral distance measure for objective speech quality assessment (1993).

    Example:

    >>> noise = np.random.default_rng(0).normal(0, 0.1, 4000)
    >>> mel_cepstral_distortion(0.5 * noise, noise, 8000) < 1e-6
    True
    """
    ours, theirs = mel_cepstra(predicted, sample_rate), mel_cepstra(true, sample_rate)
    square = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1) - 2 * ours @ theirs.T
    distances = np.sqrt(np.maximum(square, 0.0))
    path = dynamic_time_warping(distances)
    # Differences are taken anew: in those of squares nothing small is exact.
    apart = np.sqrt(((ours[path[:, 0]] - theirs[path[:, 1]]) ** 2).sum(axis=1))
    return float(10 / np.log(10) * np.sqrt(2) * apart.mean())


def log_spectral_distance(predicted: np.ndarray, true: np.ndarray, sample_rate: int) -> float:
    """Return how far the spectra of two sounds are apart, in decibels, frame by frame at the same time.

    Args:
        predicted: Float, shape `(num_samples,)`, full scale at 1.
        true: Likewise; the shorter of the two goes on in silence.
        sample_rate: Samples a second of both.

    Source: Gray and Markel, Distance measures for speech processing (1976).

    Example:

    >>> noise = np.random.default_rng(0).normal(0, 0.1, 4000)
    >>> round(log_spectral_distance(0.1 * noise, noise, 8000), 3)
    20.0
    """
    longest = max(len(predicted), len(true))
    padded = (np.pad(wave, (0, longest - len(wave))) for wave in (predicted, true))
    ours, theirs = (10 * np.log10(np.maximum(spectrogram(wave, sample_rate), SILENCE)) for wave in padded)
    return float(np.sqrt(((ours - theirs) ** 2).mean(axis=1)).mean())

"""Short-time spectra of waves, and waves from their magnitudes; needs NumPy alone."""

from __future__ import annotations

import numpy as np

MOMENTUM = 0.99  # of the fast algorithm


def short_time_spectra(wave: np.ndarray, frame_length: int, hop: int) -> np.ndarray:
    """Return the spectrum of each frame of a wave, by a Hann window about the middle of its hop.

    Args:
        wave: Float, shape `(num_samples,)`; silence is beyond its ends.
        frame_length: Of the window, in samples, at least `hop`.
        hop: Samples from one frame to the next.

    Returns:
        complex128, shape `(ceil(num_samples / hop), frame_length // 2 + 1)`, one frame at least.

    Example:

    >>> short_time_spectra(np.sin(np.arange(800) * 0.5), 256, 80).shape
    (10, 129)
    """
    num_frames = max(-(-len(wave) // hop), 1)
    before = (frame_length - hop) // 2
    padded = np.zeros((num_frames - 1) * hop + frame_length)
    padded[before : before + len(wave)] = wave[: len(padded) - before]
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame_length)[::hop]
    return np.fft.rfft(frames * _window(frame_length), axis=1)


def wave_from_spectra(spectra: np.ndarray, frame_length: int, hop: int) -> np.ndarray:
    """Return the wave whose short-time spectra are the nearest to these, float64.

    Source: Griffin and Lim, Signal estimation from modified short-time Fourier transform (1984), equation 6.

    Args:
        spectra: As `short_time_spectra` returns them, not necessarily those of any wave.
        frame_length: As there.
        hop: As there.

    Returns:
        Shape `(num_frames * hop,)`.

    Example:

    >>> wave = np.sin(np.arange(800) * 0.5)
    >>> bool(np.allclose(wave_from_spectra(short_time_spectra(wave, 256, 80), 256, 80), wave))
    True
    """
    window = _window(frame_length)
    frames = np.fft.irfft(spectra, frame_length, axis=1) * window
    total = np.zeros((len(frames) - 1) * hop + frame_length)
    weight = np.zeros_like(total)
    for number, frame in enumerate(frames):
        place = slice(number * hop, number * hop + frame_length)
        total[place] += frame
        weight[place] += window**2
    before = (frame_length - hop) // 2
    return (total / np.maximum(weight, 1e-8))[before : before + len(frames) * hop]


def griffin_lim(magnitudes: np.ndarray, frame_length: int, hop: int, iterations: int = 60) -> np.ndarray:
    """Return a wave with nearly such magnitudes, whose phases are found by going to and fro.

    Source: Griffin and Lim (1984), with the momentum of Perraudin et al., A fast Griffin-Lim algorithm
    (2013).

    Args:
        magnitudes: Of short-time spectra, shape `(num_frames, frame_length // 2 + 1)`.
        frame_length: As `short_time_spectra` takes it.
        hop: As there.
        iterations: How often.

    Returns:
        float64, shape `(num_frames * hop,)`; the same for the same magnitudes.

    Example:

    >>> wave = np.sin(np.arange(1600) * 0.5)
    >>> magnitudes = np.abs(short_time_spectra(wave, 256, 80))
    >>> again = np.abs(short_time_spectra(griffin_lim(magnitudes, 256, 80), 256, 80))
    >>> bool(np.abs(again - magnitudes).mean() < 0.05 * magnitudes.mean())
    True
    """
    random = np.random.default_rng(0)
    spectra = magnitudes * np.exp(2j * np.pi * random.uniform(size=magnitudes.shape))
    before = np.zeros_like(spectra)
    for _ in range(iterations):
        consistent = short_time_spectra(wave_from_spectra(spectra, frame_length, hop), frame_length, hop)
        ahead = consistent + MOMENTUM * (consistent - before)
        before = consistent
        spectra = magnitudes * np.exp(1j * np.angle(ahead))
    return wave_from_spectra(spectra, frame_length, hop)


def _window(frame_length: int) -> np.ndarray:
    """Return a periodic Hann window, whose shifts add up evenly."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame_length) / frame_length)

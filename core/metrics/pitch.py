"""The pitch of voices, and how far that of two sounds is apart; needs NumPy alone."""

from __future__ import annotations

import numpy as np

from core.metrics.sound import FRAME_SECONDS, HOP_SECONDS, dynamic_time_warping, mel_cepstra

LOWEST_HERTZ, HIGHEST_HERTZ = 60.0, 400.0
WINDOW_SECONDS = 0.04
VOICED = 0.5  # correlation with the period before from which a frame is voiced
SOFT = 35.0  # decibels below the loudest frame from which nothing is voiced
NEARLY = 0.92  # of the highest peak, from which a shorter period is taken rather than a multiple of it
OCTAVE = 1200.0  # cents


def pitch_track(
    wave: np.ndarray, sample_rate: int, hop: int, first: float, num_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pitch of a voice at each frame, and where it has one.

    Source: the normalised cross-correlation of Talkin, A robust algorithm for pitch tracking (1995), without
    its search over time.

    Args:
        wave: Float, shape `(num_samples,)`, full scale at 1.
        sample_rate: Samples a second.
        hop: Samples from the middle of a frame to that of the next.
        first: The middle of the first frame, in samples.
        num_frames: At least 1.

    Returns:
        Hertz, float64, 60 to 400, shape `(num_frames,)`, which mean nothing where there is no voice; and
        where there is one, bool, likewise.

    Example:

    >>> pulses = np.zeros(4000)
    >>> pulses[::64] = 1.0
    >>> hertz, voiced = pitch_track(pulses, 8000, 80, 1000, 20)
    >>> bool(voiced.all()), np.round(hertz[[0, -1]]).tolist()
    (True, [125.0, 125.0])
    """
    length = round(WINDOW_SECONDS * sample_rate)
    shortest, longest = int(sample_rate / HIGHEST_HERTZ), int(np.ceil(sample_rate / LOWEST_HERTZ))
    span = length + longest + 1
    starts = np.round(first + hop * np.arange(num_frames) - span / 2).astype(int)
    padded = np.pad(wave, (max(-starts[0], 0), max(starts[-1] + span - len(wave), 0)))
    frames = padded[(starts - min(starts[0], 0))[:, None] + np.arange(span)]
    frames = frames - frames.mean(axis=1, keepdims=True)
    lags = np.arange(shortest - 1, longest + 2)
    correlation = _correlations(frames, length, lags)
    inner = correlation[:, 1:-1]
    peak = (inner >= correlation[:, :-2]) & (inner >= correlation[:, 2:])
    strength = np.where(peak, inner, -1.0)
    best = (strength >= NEARLY * strength.max(axis=1, keepdims=True)).argmax(axis=1)
    rows = np.arange(num_frames)
    before, at, after = (correlation[rows, best + step] for step in range(3))
    # The peak of a parabola through three lags.
    bend = before - 2 * at + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1.0), 0.0)
    hertz = sample_rate / (lags[best + 1] + np.clip(shift, -0.5, 0.5))
    power = (frames**2).mean(axis=1)
    loud = power > max(power.max() * 10 ** (-SOFT / 10), 1e-10)
    return np.clip(hertz, LOWEST_HERTZ, HIGHEST_HERTZ), loud & (strength.max(axis=1) > VOICED)


def _correlations(frames: np.ndarray, length: int, lags: np.ndarray) -> np.ndarray:
    """Return how the first samples of frames correlate with as many that follow at each lag."""
    size = 2 ** int(np.ceil(np.log2(frames.shape[1] + length)))
    head = np.fft.rfft(frames[:, :length], size, axis=1)
    products = np.fft.irfft(np.conj(head) * np.fft.rfft(frames, size, axis=1), size, axis=1)[:, lags]
    sums = np.cumsum(np.pad(frames**2, ((0, 0), (1, 0))), axis=1)
    ends = np.minimum(lags + length, frames.shape[1])
    energies = sums[:, ends] - sums[:, lags]
    return products / np.sqrt(np.maximum(energies * sums[:, length : length + 1], 1e-20))


def pitch_errors(predicted: np.ndarray, true: np.ndarray, sample_rate: int) -> tuple[float, float]:
    """Return how far the pitch of two sounds is apart, however fast each is.

    Frames are paired by dynamic time warping over mel-cepstra, as in `mel_cepstral_distortion`.

    Args:
        predicted: Float, shape `(num_samples,)`, full scale at 1.
        true: Likewise, of any length.
        sample_rate: Samples a second of both.

    Returns:
        The root mean square difference where both are voiced, in cents, hundredths of a semitone: an octave
        where that is nowhere, though the true sound is voiced; and the share of pairs of which one is voiced
        and the other is not.

    Example:

    >>> low, high = np.zeros(4000), np.zeros(4000)
    >>> low[::80], high[::40] = 0.5, 0.5
    >>> [round(float(error)) for error in pitch_errors(high, low, 8000)]
    [1200, 0]
    """
    cepstra = []
    tracks = []
    for wave in (predicted, true):
        cepstra.append(mel_cepstra(wave, sample_rate))
        hop, first = round(HOP_SECONDS * sample_rate), FRAME_SECONDS * sample_rate / 2
        tracks.append(pitch_track(wave, sample_rate, hop, first, len(cepstra[-1])))
    ours, theirs = cepstra
    path = dynamic_time_warping(np.sqrt(((ours[:, None] - theirs[None]) ** 2).sum(axis=2)))
    (our_hertz, our_voice), (their_hertz, their_voice) = (
        (hertz[path[:, side]], voiced[path[:, side]]) for side, (hertz, voiced) in enumerate(tracks)
    )
    both = our_voice & their_voice
    if both.any():
        cents = OCTAVE * np.log2(our_hertz[both] / their_hertz[both])
        pitch = float(np.sqrt((cents**2).mean()))
    else:
        pitch = OCTAVE if their_voice.any() else 0.0
    return pitch, float((our_voice != their_voice).mean())

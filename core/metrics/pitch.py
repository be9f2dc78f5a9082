"""The pitch of voices, and how far that of two sounds is apart; needs NumPy alone."""

from __future__ import annotations

import numpy as np

from core.metrics.sound import FRAME_SECONDS, HOP_SECONDS, dynamic_time_warping, mel_cepstra

LOWEST_HERTZ, HIGHEST_HERTZ = 60.0, 400.0
WINDOW_SECONDS = 0.04
CANDIDATES = 8  # periods that a frame may have
UNVOICED = 0.5  # what it costs to have none; a period costs 1 less its correlation
LONGER = 0.25  # by which the longest period costs more, so that no multiple of a period is taken
OCTAVE_COST = 1.0  # of a jump of the pitch by an octave from one frame to the next
ONSET_COST = 0.2  # where a voice begins or ends
SOFT = 35.0  # decibels below the loudest frame from which nothing is voiced
OCTAVE = 1200.0  # cents


def pitch_track(
    wave: np.ndarray, sample_rate: int, hop: int, first: float, num_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pitch of a voice at each frame, and where it has one.

    Source: Talkin, A robust algorithm for pitch tracking (1995): the cheapest way through periods of high
    normalised cross-correlation, with costs of our own.

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
    strength = np.where(peak, inner - LONGER * lags[1:-1] / longest, -1.0)
    places = np.argsort(-strength, axis=1, kind="stable")[:, :CANDIDATES]
    rows = np.arange(num_frames)[:, None]
    before, at, after = (correlation[rows, places + step] for step in range(3))
    # The peak of a parabola through three lags.
    bend = before - 2 * at + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1.0), 0.0)
    hertz = sample_rate / (lags[places + 1] + np.clip(shift, -0.5, 0.5))
    power = (frames**2).mean(axis=1)
    loud = power > max(power.max() * 10 ** (-SOFT / 10), 1e-10)
    costs = np.where(loud[:, None], 1.0 - strength[rows, places], np.inf)
    best = _cheapest(costs, np.log2(hertz))
    voiced = best < places.shape[1]
    chosen = hertz[rows[:, 0], np.minimum(best, places.shape[1] - 1)]
    return np.clip(chosen, LOWEST_HERTZ, HIGHEST_HERTZ), voiced


def _cheapest(costs: np.ndarray, octaves: np.ndarray) -> np.ndarray:
    """Return the candidate of each frame on the cheapest way through all; the number after the last is none.

    Args:
        costs: Of each candidate, shape `(num_frames, num_candidates)`.
        octaves: Its pitch, likewise.
    """
    num_frames, none = costs.shape
    own = np.concatenate([costs, np.full((num_frames, 1), UNVOICED)], axis=1)
    total, came_from = own[0], np.zeros(own.shape, int)
    for frame in range(1, num_frames):
        steps = np.full((none + 1, none + 1), ONSET_COST)
        steps[:none, :none] = OCTAVE_COST * np.abs(octaves[frame - 1][:, None] - octaves[frame])
        steps[none, none] = 0.0
        ways = total[:, None] + steps
        came_from[frame] = ways.argmin(axis=0)
        total = own[frame] + ways.min(axis=0)
    path = [int(total.argmin())]
    for frame in range(num_frames - 1, 0, -1):
        path.append(int(came_from[frame, path[-1]]))
    return np.array(path[::-1])


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

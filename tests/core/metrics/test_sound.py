from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dct
from scipy.signal import stft

from core.metrics import sound

RATE = 8000
RANDOM = np.random.default_rng(0)


def tone(seconds: float, hertz: float) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return 0.3 * np.sin(2 * np.pi * hertz * time) + RANDOM.normal(0, 0.01, len(time))


PREDICTED = np.concatenate([tone(0.2, 300), tone(0.3, 900)])
TRUE = np.concatenate([tone(0.35, 320), tone(0.2, 850)])


def cepstra(wave: np.ndarray) -> np.ndarray:
    """Mel cepstra by SciPy's transforms, and triangles drawn one by one."""
    _, _, transformed = stft(
        wave, RATE, np.hanning(200), 200, 120, 256, boundary=None, padded=True, scaling="spectrum"
    )
    power = np.abs(2 * transformed.T) ** 2
    hertz = np.fft.rfftfreq(256, 1 / RATE)
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 4000 / 700), 42) / 2595) - 1)
    bands = []
    for low, middle, high in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
        band = np.interp(hertz, [low, middle, high], [0, 1, 0])
        if not band.any():
            band[np.abs(hertz - middle).argmin()] = 1
        bands.append(power @ band)
    levels = np.log(np.maximum(np.stack(bands, axis=1), 1e-10))
    return dct(levels, type=2, axis=1)[:, 1:14] / 80


def test_mel_cepstra_are_those_of_scipy():
    np.testing.assert_allclose(sound.mel_cepstra(PREDICTED, RATE), cepstra(PREDICTED), atol=1e-9)


def test_mel_cepstral_distortion_is_that_of_a_plain_alignment():
    ours, theirs = cepstra(PREDICTED), cepstra(TRUE)
    total = np.full((len(ours) + 1, len(theirs) + 1), np.inf)
    steps = np.zeros(total.shape, int)
    total[0, 0] = 0
    for row in range(1, len(ours) + 1):
        for column in range(1, len(theirs) + 1):
            before = min(
                [(row - 1, column - 1), (row - 1, column), (row, column - 1)], key=lambda place: total[place]
            )
            total[row, column] = total[before] + np.linalg.norm(ours[row - 1] - theirs[column - 1])
            steps[row, column] = steps[before] + 1
    expected = 10 / np.log(10) * np.sqrt(2) * total[-1, -1] / steps[-1, -1]
    assert sound.mel_cepstral_distortion(PREDICTED, TRUE, RATE) == pytest.approx(expected, rel=1e-6)


def test_a_path_costs_the_least_of_all_paths():
    distances = RANDOM.random((5, 4))

    def least(row: int, column: int) -> float:
        if row < 0 or column < 0:
            return np.inf
        before = [least(row - 1, column - 1), least(row - 1, column), least(row, column - 1)]
        return distances[row, column] + (0 if row == column == 0 else min(before))

    path = sound.dynamic_time_warping(distances)
    assert distances[tuple(path.T)].sum() == pytest.approx(least(4, 3))
    assert (path[0].tolist(), path[-1].tolist()) == ([0, 0], [4, 3])
    assert set(map(tuple, np.diff(path, axis=0))) <= {(0, 1), (1, 0), (1, 1)}


def test_a_sound_said_slower_has_the_same_timbre():
    slow, fast = (np.sin(2 * np.pi * 500 * np.arange(count) / RATE) for count in (8000, 3200))
    assert sound.mel_cepstral_distortion(fast, slow, RATE) < 0.1
    assert sound.mel_cepstral_distortion(fast, TRUE, RATE) > 1


def test_log_spectral_distance_is_that_of_scipy():
    longest = max(len(PREDICTED), len(TRUE))
    levels = []
    for wave in (PREDICTED, TRUE):
        wave = np.pad(wave, (0, longest - len(wave)))
        _, _, transformed = stft(
            wave, RATE, np.hanning(200), 200, 120, 256, boundary=None, padded=True, scaling="spectrum"
        )
        levels.append(10 * np.log10(np.maximum(np.abs(2 * transformed) ** 2, 1e-10)))
    expected = np.sqrt(((levels[0] - levels[1]) ** 2).mean(axis=0)).mean()
    assert sound.log_spectral_distance(PREDICTED, TRUE, RATE) == pytest.approx(expected, rel=1e-9)


def test_a_sound_that_stops_early_is_far_off():
    whole = tone(0.5, 400)
    assert sound.log_spectral_distance(whole[:2000], whole, RATE) > 20
    assert sound.log_spectral_distance(whole, whole, RATE) == 0


def test_silence_and_a_sound_shorter_than_a_frame_are_measured():
    assert np.isfinite(sound.mel_cepstral_distortion(np.zeros(10), TRUE, RATE))
    assert np.isfinite(sound.log_spectral_distance(np.zeros(0), TRUE, RATE))

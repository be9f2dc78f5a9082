from __future__ import annotations

import numpy as np
import pytest

from core.metrics import pitch_errors, pitch_track

RATE = 8000


def voice(hertz: float, seconds: float = 0.4, breath: float = 0.0) -> np.ndarray:
    """Return a buzz with falling overtones."""
    time = np.arange(round(seconds * RATE)) / RATE
    numbers = np.arange(1, 8)[:, None]
    buzz = (np.sin(2 * np.pi * hertz * numbers * time) / numbers).sum(axis=0)
    return 0.2 * buzz + breath * np.random.default_rng(0).normal(size=len(time))


@pytest.mark.parametrize("hertz", [70.0, 110.0, 187.0, 305.0])
def test_the_pitch_of_a_voice_is_measured_within_a_hundredth(hertz):
    measured, voiced = pitch_track(voice(hertz), RATE, 80, 800, 20)
    assert voiced.all()
    np.testing.assert_allclose(measured, hertz, rtol=0.01)


def test_breath_is_not_voiced():
    _, voiced = pitch_track(np.random.default_rng(0).normal(0, 0.1, 4000), RATE, 80, 40, 50)
    assert voiced.mean() < 0.1


def test_silence_is_not_voiced():
    _, voiced = pitch_track(np.zeros(2000), RATE, 80, 40, 25)
    assert not voiced.any()


def test_a_semitone_is_a_hundred_cents_however_fast_it_is_spoken():
    error, _ = pitch_errors(voice(120 * 2 ** (1 / 12), 0.6), voice(120), RATE)
    assert error == pytest.approx(100, abs=5)


def test_a_whisper_in_the_place_of_a_voice_is_wrong_in_voicing():
    whisper = np.random.default_rng(0).normal(0, 0.1, 3200)
    _, voicing = pitch_errors(whisper, voice(120), RATE)
    assert voicing > 0.8

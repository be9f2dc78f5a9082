from __future__ import annotations

import numpy as np
import pytest

from core.data.spoken_lines import Line, spoken_lines
from core.data.spoken_requests import request
from core.data.voices import Synthesiser
from core.errors import UserError

LINES = [Line("turn on the lamp", "en-us+f2"), Line("stop", "en-us+m3", speed=200)]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    return folder, spoken_lines(folder, "few", LINES, 8000)


def test_a_sentence_takes_longer_than_a_word(spoken):
    _, waves = spoken
    sentence, word = waves.lengths / 8000
    assert 0.5 < sentence < 3
    assert 0.1 < word < sentence


def test_lines_are_spoken_once_and_read_from_the_cache(spoken, monkeypatch):
    folder, waves = spoken
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("spoken again"))
    np.testing.assert_array_equal(spoken_lines(folder, "few", LINES, 8000).values, waves.values)


def test_a_voice_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match="no voice 'xx-nowhere'"):
        spoken_lines(tmp_path, "none", [Line("stop", "xx-nowhere")], 8000)


def test_a_higher_pitch_is_spoken_higher():
    synthesiser = Synthesiser()

    def crossings(pitch: int) -> float:
        wave = synthesiser.speak("no", "en-us+m1", 150, pitch=pitch, pitch_range=0)
        spectrum = np.abs(np.fft.rfft(wave))[: len(wave) * 400 // synthesiser.sample_rate]
        return float(spectrum.argmax()) / len(wave)

    assert crossings(90) > 1.2 * crossings(10)


def test_requests_are_drawn_by_the_seed():
    first, second = ([request(np.random.default_rng(seed)) for seed in range(20)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 15
    assert not any("{" in text for text in first)

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import soundfile

from core.answers.sounds import Sounds, likeness
from core.metrics import log_spectral_distance, mel_cepstral_distortion
from core.shown import Sound
from tests.core.answers.pages import page_of_rows

RATE = 8000
RANDOM = np.random.default_rng(0)


def tone(hertz: float, seconds: float = 0.4, noise: float = 0.02) -> Sound:
    time = np.arange(int(seconds * RATE)) / RATE
    wave = 0.3 * np.sin(2 * np.pi * hertz * time) + RANDOM.normal(0, noise, len(time))
    return Sound((wave * 32767).astype(np.int16), RATE)


def rows(count: int = 15, seconds: float = 0.4) -> list[dict]:
    made = []
    for place in range(count):
        true = tone(300 + 20 * place)
        predicted = tone(1500 if place == 3 else 310 + 20 * place, seconds)
        figures = likeness(predicted, true)
        made.append({"row": place, "text": f"note {place}", "predicted": predicted, "true": true, **figures})
    return made


ROWS = rows()
SAMPLES = [{"row": place, "predicted": tone(440)} for place in range(3)]


def test_likeness_is_that_of_the_metrics_at_full_scale_1():
    predicted, true = tone(300), tone(500, 0.5)
    waves = [sound.wave / 32768 for sound in (predicted, true)]
    figures = likeness(predicted, true)
    assert figures["mel_cepstral_distortion"] == mel_cepstral_distortion(*waves, RATE)
    assert figures["log_spectral_distance"] == log_spectral_distance(*waves, RATE)
    assert figures["length_ratio"] == pytest.approx(0.8)


def test_sounds_of_other_rates_are_not_compared():
    with pytest.raises(ValueError, match="8000 and 16000"):
        likeness(tone(300), Sound(np.zeros(100, np.int16), 16000))


def test_the_figures_are_the_means_of_the_rows():
    answers = Sounds.from_rows(ROWS)
    received = answers.statistics(np.arange(len(answers)))
    assert received == pytest.approx({name: np.mean([row[name] for row in ROWS]) for name in Sounds.figures})


def test_what_a_row_does_not_tell_is_measured_on_its_sounds():
    bare = [{"predicted": row["predicted"], "true": row["true"]} for row in ROWS]
    received, expected = Sounds.from_rows(bare), Sounds.from_rows(ROWS)
    np.testing.assert_array_equal(received.truth, expected.truth)
    np.testing.assert_array_equal(received.losses, expected.losses)


def test_paths_without_a_likeness_are_refused():
    with pytest.raises(KeyError, match="mel_cepstral_distortion"):
        Sounds.from_rows([{"predicted": "answers/a.wav", "true": "answers/b.wav"}])


def test_slices_are_compared_by_the_mean_distortion():
    answers = Sounds.from_rows(ROWS)
    figures = answers.statistics(np.arange(len(answers)))
    assert answers.of_loss(float(answers.losses.mean())) == pytest.approx(figures[Sounds.figure()])
    assert Sounds.lower_is_better()


def test_the_least_like_comes_first():
    assert Sounds.from_rows(ROWS).mistakes(1).tolist() == [3]


def test_the_worst_of_a_distance_is_the_largest():
    spread = Sounds.from_rows(ROWS).details()["spread"]["mel_cepstral_distortion"]
    assert spread["worst"] > spread["low"] > spread["median"] > spread["high"] > spread["best"]


def test_samples_have_no_figures_of_their_own():
    answers = Sounds.from_rows(SAMPLES)
    assert answers.statistics(np.arange(3)) == {}
    assert answers.mistakes(2).tolist() == [0, 1]


def titles(rows: list[dict]) -> list[str]:
    return [each.title for each in Sounds.findings({"details": Sounds.from_rows(rows).details()})]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, []), (0.2, ["Sounds are too short"]), (0.8, ["Sounds are too long"])],
)
def test_sounds_of_the_wrong_length_are_named(seconds, expected):
    assert titles(rows(4, seconds)) == expected


def test_answer_and_truth_can_be_heard_and_seen():
    picture, text, answer, truth, words = Sounds.shown(ROWS[0], {})
    assert (picture.kind, picture.large) == ("picture", True)
    assert text.content == "note 0"
    assert (answer.name, truth.name) == ("answer (sound)", "truth (sound)")
    heard, rate = soundfile.read(
        io.BytesIO(base64.b64decode(answer.content.partition(",")[2])), dtype="int16"
    )
    np.testing.assert_array_equal(heard, ROWS[0]["predicted"].wave)
    assert rate == RATE
    assert words.content.startswith("mel cepstral distortion ")


def test_a_sound_whose_file_is_gone_is_reported():
    (answer,) = Sounds.shown({"row": 2, "predicted": "answers/predictions-2-predicted.wav"}, {})
    assert answer.content == "sample 2 (its file is gone)"


def test_the_report_shows_the_section_and_the_sounds():
    page, figures, drawn = page_of_rows(Sounds, ROWS, [{"text": row["text"]} for row in ROWS])
    assert figures["figures"][0]["name"] == "mel_cepstral_distortion"
    assert figures["figures"][0]["lower_is_better"]
    assert "Likeness to the truth" in page
    assert "distortion" in drawn
    assert page.count("<audio") == 2 * len(figures["mistakes"]) == 24
    assert page.count('alt="spectrograms"') == 12


def test_the_report_of_samples_shows_them_without_figures():
    page, figures, _ = page_of_rows(Sounds, SAMPLES, [{}] * 3)
    assert figures["figures"] == []
    assert "there are no true ones" in page
    assert page.count("<audio") == 3

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from apps.speech.emotion import Emotion
from apps.speech.manner.functionals import NUM_BANDS, WINDOW_SECONDS, functionals
from core.answers.classes import EqualClasses
from core.data.examples import Examples, Ragged
from core.errors import UserError
from core.layers.spectrogram import mel_bands

RATE = 8000
BANDS = mel_bands(round(WINDOW_SECONDS * RATE) // 2 + 1, NUM_BANDS, RATE, 50, RATE / 2)
PITCH = 21  # place of the mean pitch among the functionals, in semitones above 100 Hertz
SPREAD = 22  # of its deviation


def voice(hertz: float, vibrato: float = 0.0) -> np.ndarray:
    time = np.arange(RATE) / RATE
    phase = 2 * np.pi * hertz * time + vibrato * np.sin(2 * np.pi * 4 * time)
    return np.int16(4000 * sum(np.sin(each * phase) / each for each in range(1, 6)))


def test_the_pitch_of_a_voice_is_measured_in_semitones():
    low, high = (functionals(voice(hertz), RATE, BANDS)[PITCH] for hertz in (100, 200))
    assert low == pytest.approx(0, abs=0.3)
    assert high == pytest.approx(12, abs=0.3)


def test_a_lively_voice_moves_its_pitch():
    flat, lively = (functionals(voice(150, vibrato), RATE, BANDS)[SPREAD] for vibrato in (0, 6))
    assert lively > 3 * flat + 0.5


def test_functionals_do_not_depend_on_the_gain():
    loud = voice(150)
    np.testing.assert_allclose(
        functionals(loud, RATE, BANDS), functionals(loud // 2, RATE, BANDS), atol=0.05, rtol=0.05
    )


def test_silence_has_functionals():
    assert np.isfinite(functionals(np.zeros(RATE, np.int16), RATE, BANDS)).all()


def answered() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    targets = random.choice(3, 60, p=[0.7, 0.2, 0.1])
    probabilities = random.dirichlet([1, 1, 1], 60)
    return targets, probabilities


def test_the_headline_is_the_mean_of_the_recalls_as_in_scikit_learn():
    targets, probabilities = answered()
    expected = balanced_accuracy_score(targets, probabilities.argmax(axis=1))
    labels = ["calm", "glad", "sad"]
    answers = EqualClasses(labels, targets, probabilities)
    assert answers.statistics(np.arange(60))["unweighted_average_recall"] == pytest.approx(expected)


def test_a_class_that_is_not_there_counts_for_nothing():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    answers = EqualClasses(["calm", "glad", "sad"], np.array([0, 1]), probabilities)
    assert answers.statistics(np.arange(2))["unweighted_average_recall"] == 1.0


def recordings() -> Examples:
    speakers = [f"person {row // 4}" for row in range(40)]
    rows = [voice(100 + row)[: 400 + row] for row in range(40)]
    labels = ["W" if row % 2 else "N" for row in range(40)]
    return Examples({"wave": Ragged.from_rows(rows), "label": labels, "speaker": speakers}, "here")


def test_nobody_is_heard_both_in_training_and_in_test(monkeypatch):
    monkeypatch.setattr("apps.speech.recordings.read_source", lambda *_, **__: ({"train": recordings()}, ()))
    splits = Emotion(data="here").load()
    assert len(splits.test)
    assert not set(splits.test["speaker"]) & set(splits.train["speaker"])
    assert "speaker" in splits.protocol


def test_labels_are_named_as_the_user_says(monkeypatch):
    monkeypatch.setattr("apps.speech.recordings.read_source", lambda *_, **__: ({"train": recordings()}, ()))
    names = {"W": "anger", "N": "neutral"}
    assert set(Emotion(data="here", label_names=names).load().train["label"]) == {"anger", "neutral"}
    with pytest.raises(UserError, match=r"no name for N"):
        Emotion(data="here", label_names={"W": "anger"}).load()

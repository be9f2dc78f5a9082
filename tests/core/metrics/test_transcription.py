from __future__ import annotations

import jiwer
import keras
import numpy as np
import pytest

from core.metrics import CharacterErrorRate, WordErrorRate, edit_distance

RANDOM = np.random.default_rng(0)
WORDS = ["go", "stop", "left", "right", "up"]
REFERENCES = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 9))) for _ in range(41)]
RECOGNISED = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(0, 9))) for _ in range(41)]
RATES = {WordErrorRate: jiwer.wer, CharacterErrorRate: jiwer.cer}


@pytest.mark.parametrize("metric", RATES)
@pytest.mark.parametrize("batch_size", [1, 7, 41])
def test_error_rate_value_is_jiwers_whatever_the_batch_size(metric, batch_size):
    rate = metric()
    for start in range(0, 41, batch_size):
        rate.update_state(REFERENCES[start : start + batch_size], RECOGNISED[start : start + batch_size])
    assert float(rate.result()) == pytest.approx(RATES[metric](REFERENCES, RECOGNISED), rel=1e-6)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "distance"),
    [
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("abc", "", 3),
        ("", "", 0),
        ("flaw", "lawn", 2),
        ("same", "same", 0),
    ],
)
def test_edit_distance_value(reference, hypothesis, distance):
    assert edit_distance(reference, hypothesis) == distance


def test_normalizer_decides_what_is_the_same_value():
    rate = WordErrorRate(normalizer=str.lower)
    rate.update_state(["Go Left"], ["go left"])
    assert float(rate.result()) == 0


def test_transcripts_of_weight_zero_do_not_change_the_value():
    rate = WordErrorRate()
    rate.update_state(["go", "stop"], ["go", "left"], [1, 0])
    assert float(rate.result()) == 0


def test_a_missing_transcript_is_refused():
    with pytest.raises(ValueError, match="Received: 2 references, 1 recognised"):
        WordErrorRate().update_state(["go", "stop"], ["go"])


@keras.saving.register_keras_serializable(package="tests")
def lowered(text: str) -> str:
    return text.lower()


@pytest.mark.parametrize("metric", RATES)
def test_a_metric_comes_back_from_its_configuration(metric):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(metric(normalizer=lowered))
    )
    assert again.normalizer is lowered

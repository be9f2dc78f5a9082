from __future__ import annotations

import jiwer
import keras
import numpy as np
import pytest

from core.metrics import CharacterErrorRate, TokenErrorRate, WordErrorRate, edit_distance, plain_words
from tests.core.metrics.streaming import BATCH_SIZES, figure

RANDOM = np.random.default_rng(0)
WORDS = ["go", "stop", "left", "right", "up"]
REFERENCES = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(1, 9))) for _ in range(41)]
RECOGNISED = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(0, 9))) for _ in range(41)]
RATES = {WordErrorRate: jiwer.wer, CharacterErrorRate: jiwer.cer}


def padded(sentences: list[str], length: int) -> np.ndarray:
    rows = [[WORDS.index(word) for word in sentence.split()] for sentence in sentences]
    return np.array([row + [-1] * (length - len(row)) for row in rows])


@pytest.mark.parametrize("metric", RATES)
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_error_rate_is_jiwers_whatever_the_batch_size(metric, batch_size):
    rate = figure(metric(), REFERENCES, RECOGNISED, batch_size)
    assert rate == pytest.approx(RATES[metric](REFERENCES, RECOGNISED), rel=1e-6)


@pytest.mark.parametrize("batch_size", [7, 41])
def test_token_error_rate_has_jiwers_value_on_words(batch_size):
    rate = figure(TokenErrorRate(), padded(REFERENCES, 9), padded(RECOGNISED, 8), batch_size)
    assert rate == pytest.approx(jiwer.wer(REFERENCES, RECOGNISED), rel=1e-6)


@pytest.mark.parametrize(
    ("reference", "recognised", "value"),
    [
        ([[1, 2, 3]], [[-1, -1]], 1.0),
        ([[1, 2, 3]], [[4, 1, 2, 3]], 1 / 3),
        ([[1, 2, 3]], [[3, 2, 1]], 2 / 3),
        ([[-1, -1], [1, 2]], [[1, -1], [1, 2]], 1 / 2),
    ],
)
def test_token_error_rate_is_the_one_worked_out_by_hand(reference, recognised, value):
    rate = TokenErrorRate()
    rate.update_state(reference, recognised)
    assert float(rate.result()) == pytest.approx(value)


@pytest.mark.parametrize("recognised", [["go left", ""], ["", "stop"], ["", ""]])
@pytest.mark.parametrize("metric", RATES)
def test_what_is_inserted_into_empty_references_counts_as_in_jiwer(metric, recognised):
    assert figure(metric(), ["", ""], recognised, 2) == RATES[metric](["", ""], recognised)


def test_token_error_rate_of_empty_references_has_the_value_of_jiwer():
    received = figure(TokenErrorRate(), padded(["", ""], 2), padded(["go left", "stop"], 2), 2)
    assert received == jiwer.wer(["", ""], ["go left", "stop"]) == 3


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
def test_edit_distance_is_the_one_worked_out_by_hand(reference, hypothesis, distance):
    assert edit_distance(reference, hypothesis) == distance


def test_the_normalizer_decides_what_is_the_same():
    assert figure(WordErrorRate(), ["Go Left"], ["go left"], 1) == 1
    assert figure(WordErrorRate(str.lower), ["Go Left"], ["go left"], 1) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  Don’t GO!  ", "don't go"),
        ("'quoted' rock'n'roll", "quoted rock'n'roll"),
        ("naïve Straße", "naïve strasse"),
        ("... -- !", ""),
        ("２ o’clock", "2 o'clock"),
    ],
)
def test_plain_words_keeps_words_alone(text, words):
    assert plain_words(text) == words


@pytest.mark.parametrize("metric", [WordErrorRate, CharacterErrorRate])
def test_transcripts_of_weight_zero_do_not_count(metric):
    assert figure(metric(), ["go", "stop"], ["go", "left"], 2, [1, 0]) == 0


def test_token_sequences_of_weight_zero_do_not_count():
    assert figure(TokenErrorRate(), np.array([[1], [2]]), np.array([[1], [3]]), 2, np.array([1, 0])) == 0


def test_a_missing_transcript_is_refused():
    with pytest.raises(ValueError, match="Received: 2 references, 1 recognised"):
        WordErrorRate().update_state(["go", "stop"], ["go"])


def test_the_normalizer_comes_back_with_the_metric():
    metric = WordErrorRate(normalizer=plain_words)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.normalizer is plain_words

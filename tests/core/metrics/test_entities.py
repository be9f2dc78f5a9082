from __future__ import annotations

import keras
import numpy as np
import pytest
import seqeval.metrics
from seqeval.scheme import IOB2

from core.metrics import EntityF1, entities_of

RANDOM = np.random.default_rng(0)
TAGS = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TRUE = [RANDOM.choice(TAGS, RANDOM.integers(1, 12)).tolist() for _ in range(60)]
PREDICTED = [[tag if RANDOM.random() < 0.7 else str(RANDOM.choice(TAGS)) for tag in tags] for tags in TRUE]


def counted(metric, batch_size):
    for start in range(0, 60, batch_size):
        metric.update_state(TRUE[start : start + batch_size], PREDICTED[start : start + batch_size])
    return float(metric.result())


@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_strict_value_is_seqevals_strict_mode(batch_size):
    expected = seqeval.metrics.f1_score(TRUE, PREDICTED, mode="strict", scheme=IOB2)
    assert counted(EntityF1(), batch_size) == pytest.approx(expected, abs=1e-6)


def test_lenient_value_is_that_of_the_conll_script_as_seqeval_has_it():
    expected = seqeval.metrics.f1_score(TRUE, PREDICTED)
    assert counted(EntityF1(strict=False), 7) == pytest.approx(expected, abs=1e-6)


def test_entities_in_iobes_tags_have_their_value():
    tags = ["S-PER", "O", "B-LOC", "I-LOC", "E-LOC", "S-LOC"]
    assert entities_of(tags) == {("PER", 0, 0), ("LOC", 2, 4), ("LOC", 5, 5)}


def test_a_sentence_with_too_few_tags_is_refused():
    with pytest.raises(ValueError, match="Received: 1 for 2"):
        EntityF1().update_state([["O", "O"]], [["O"]])


def test_the_metric_comes_back_from_its_configuration():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(EntityF1(strict=False)))
    assert again.strict is False

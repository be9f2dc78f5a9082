from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import SpanScores
from core.layers.span_scores import FORBIDDEN

STATES = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int32)


@pytest.fixture
def layer() -> SpanScores:
    keras.utils.set_random_seed(0)
    layer = SpanScores(longest=3, units=4)
    layer(STATES, MASK)
    layer.lengths.assign(np.random.default_rng(1).normal(size=(3, 4)))
    return layer


def scores_of(layer: SpanScores, states: np.ndarray = STATES, mask: np.ndarray = MASK) -> np.ndarray:
    return ops.convert_to_numpy(layer(states, mask))


def test_a_span_is_scored_by_both_its_ends_and_its_length(layer):
    first, last, none = (
        ops.convert_to_numpy(each(STATES)) for each in (layer.firsts, layer.lasts, layer.none)
    )
    hidden = np.maximum(first[0, 1] + last[0, 3] + ops.convert_to_numpy(layer.lengths)[2], 0)
    scores = scores_of(layer)
    expected = ops.convert_to_numpy(layer.scores(hidden[None]))[0, 0]
    assert scores[0, 1 + 1 * 3 + 2] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(scores[:, 0], [none[0].max(), none[1, :3].max()], rtol=1e-5)


def test_spans_over_the_end_or_over_padding_are_forbidden(layer):
    is_span = scores_of(layer)[:, 1:].reshape(2, 5, 3) > FORBIDDEN
    steps, more = np.arange(5)[:, None], np.arange(3)
    np.testing.assert_array_equal(is_span[0], steps + more < 5)
    np.testing.assert_array_equal(is_span[1], steps + more < 3)


def test_padding_changes_no_score(layer):
    short = scores_of(layer, STATES[1:, :3], MASK[1:, :3])
    np.testing.assert_allclose(scores_of(layer)[1, :10], short[0], rtol=1e-5)


def test_a_functional_model_takes_any_length_and_comes_back(layer, tmp_path):
    states, mask = keras.Input((None, 3)), keras.Input((None,), dtype="int32")
    model = keras.Model([states, mask], SpanScores(longest=3, units=4)(states, mask))
    model.set_weights(layer.get_weights())
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(ops.convert_to_numpy(again([STATES, MASK])), scores_of(layer), rtol=1e-5)


def test_a_length_of_none_is_refused():
    with pytest.raises(ValueError, match="Received: longest=0"):
        SpanScores(longest=0, units=4)

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from core.losses import SequenceCrossentropy
from tests.core.losses.gradients import value_and_gradient

LOGITS = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
TOKENS = np.array([[2, 4, 1], [3, 0, 0]])
LOG_P = log_softmax(LOGITS.astype("float64"), axis=-1)
# The losses of the four tokens that are not padding.
REAL = np.array([-LOG_P[0, 0, 2], -LOG_P[0, 1, 4], -LOG_P[0, 2, 1], -LOG_P[1, 0, 3]])


def test_value_is_the_mean_over_the_real_tokens_of_the_whole_batch() -> None:
    loss = SequenceCrossentropy(padding_id=0, from_logits=True)
    assert float(loss(TOKENS, LOGITS)) == pytest.approx(REAL.mean(), rel=1e-5)


def test_value_does_not_depend_on_how_much_padding_there_is() -> None:
    loss = SequenceCrossentropy(padding_id=0, from_logits=True)
    longer = np.pad(TOKENS, ((0, 0), (0, 7))), np.pad(LOGITS, ((0, 0), (0, 7), (0, 0)))
    assert float(loss(*longer)) == pytest.approx(float(loss(TOKENS, LOGITS)), rel=1e-6)


def test_smoothed_value_is_the_crossentropy_of_the_smoothed_target() -> None:
    loss = SequenceCrossentropy(padding_id=None, label_smoothing=0.2, from_logits=True)
    targets = 0.8 * np.eye(5)[TOKENS] + 0.2 / 5
    assert float(loss(TOKENS, LOGITS)) == pytest.approx(-(targets * LOG_P).sum(-1).mean(), rel=1e-5)


def test_value_from_probabilities_is_that_from_logits() -> None:
    loss = SequenceCrossentropy(padding_id=0)
    assert float(loss(TOKENS, softmax(LOGITS, axis=-1))) == pytest.approx(REAL.mean(), rel=1e-5)


@pytest.mark.parametrize("padding_id", [-100, 5])
def test_value_with_padding_that_is_no_class(padding_id: int) -> None:
    tokens = np.where(TOKENS == 0, padding_id, TOKENS)
    loss = SequenceCrossentropy(padding_id=padding_id, from_logits=True)
    assert float(loss(tokens, LOGITS)) == pytest.approx(REAL.mean(), rel=1e-5)


@pytest.mark.parametrize("weights", [[2.0, 0.5], [[2.0], [0.5]], [[2.0] * 3, [0.5] * 3]])
def test_weighted_value_is_the_weighted_mean_over_tokens(weights: list) -> None:
    loss = SequenceCrossentropy(padding_id=0, from_logits=True)
    expected = np.average(REAL, weights=[2.0, 2.0, 2.0, 0.5])
    assert float(loss(TOKENS, LOGITS, np.array(weights))) == pytest.approx(expected, rel=1e-5)


def test_value_is_without_the_tokens_of_a_keras_mask() -> None:
    class HideFirst(keras.layers.Layer):
        def call(self, inputs: object) -> object:
            return inputs * 1.0

        def compute_mask(self, inputs: object, previous_mask: object = None) -> object:
            return keras.ops.convert_to_tensor([[False, True, True], [True, True, True]])

    loss = SequenceCrossentropy(padding_id=0, from_logits=True)
    assert float(loss(TOKENS, HideFirst()(LOGITS))) == pytest.approx(REAL[1:].mean(), rel=1e-5)


def test_value_of_a_batch_of_padding_is_zero() -> None:
    assert float(SequenceCrossentropy(from_logits=True)(np.zeros_like(TOKENS), LOGITS)) == 0.0


def test_value_as_a_sum_and_per_token() -> None:
    def loss(reduction: str | None) -> np.ndarray:
        return np.asarray(SequenceCrossentropy(from_logits=True, reduction=reduction)(TOKENS, LOGITS))

    assert loss("sum") == pytest.approx(REAL.sum(), rel=1e-5)
    np.testing.assert_allclose(loss(None).ravel(), [*REAL, 0.0, 0.0], rtol=1e-5)


def test_a_large_token_id_is_not_rounded() -> None:
    logits = np.zeros((1, 1, 70_001), dtype="float32")
    logits[..., 70_000] = 100.0
    loss = SequenceCrossentropy(from_logits=True)
    assert float(loss(np.array([[70_000]]), logits)) == pytest.approx(0.0, abs=1e-6)
    assert float(loss(np.array([[69_999]]), logits)) == pytest.approx(100.0)


@pytest.mark.parametrize("label", [-1, 5, 99])
def test_no_value_is_given_for_a_label_out_of_range(label: int) -> None:
    tokens = np.array([[2, label, 1], [3, 0, 0]])
    loss = SequenceCrossentropy(padding_id=0, from_logits=True)
    with pytest.raises(ValueError, match=rf"below 5.*Received: {label} in 1 of 6 places"):
        loss(tokens, LOGITS)


@pytest.mark.parametrize("label", [-1, 5])
def test_value_is_nan_for_a_label_out_of_range_where_no_label_can_be_looked_at(label: int) -> None:
    targets = keras.ops.convert_to_tensor([[2, label, 1], [3, 0, 0]])
    loss = SequenceCrossentropy(padding_id=0, from_logits=True, reduction=None)
    total, _ = value_and_gradient(lambda x: keras.ops.sum(loss(targets, x)[:, 1]), LOGITS, compiled=True)
    assert np.isnan(total)


@pytest.mark.parametrize("label", [-1, 99])
def test_value_is_that_of_the_rest_where_a_token_out_of_range_does_not_count(label: int) -> None:
    tokens, weights = np.array([[2, label, 1], [3, 0, 0]]), np.array([[1, 0, 1], [1, 1, 1]])
    loss = SequenceCrossentropy(padding_id=0, from_logits=True)
    expected = pytest.approx(REAL[[0, 2, 3]].mean(), rel=1e-5)
    assert float(loss(tokens, LOGITS, weights)) == expected
    masked = keras.ops.convert_to_tensor(LOGITS)
    masked._keras_mask = keras.ops.convert_to_tensor(weights > 0)
    assert float(loss(tokens, masked)) == expected


def test_value_is_that_of_a_label_which_half_precision_would_round() -> None:
    logits = np.zeros((1, 1, 300), dtype="float32")
    logits[..., 257] = 50.0
    for dtype in ("bfloat16", "float16"):
        assert float(SequenceCrossentropy(from_logits=True, dtype=dtype)([[257]], logits)) == 0.0


def test_one_hot_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="one integer per token"):
        SequenceCrossentropy(padding_id=None)(np.eye(5)[TOKENS], LOGITS)


def test_smoothing_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"label_smoothing=-0\.1"):
        SequenceCrossentropy(label_smoothing=-0.1)

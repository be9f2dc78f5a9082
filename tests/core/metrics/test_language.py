from __future__ import annotations

import keras
import numpy as np
import pytest

from core.metrics import BitsPerCharacter, Perplexity

RANDOM = np.random.default_rng(0)
TOKENS = RANDOM.integers(1, 5, (23, 6))
TOKENS[:, 4:] *= RANDOM.integers(0, 2, (23, 2))
LOGITS = RANDOM.normal(size=(23, 6, 5))
LOG_PROBABILITIES = LOGITS - np.log(np.exp(LOGITS).sum(axis=-1, keepdims=True))
NATS = -np.take_along_axis(LOG_PROBABILITIES, TOKENS[..., None], axis=-1)[..., 0]


def counted(metric, batch_size, weights=None):
    for start in range(0, len(TOKENS), batch_size):
        rows = slice(start, start + batch_size)
        metric.update_state(TOKENS[rows], LOGITS[rows], None if weights is None else weights[rows])
    return float(metric.result())


@pytest.mark.parametrize("batch_size", [7, 23])
def test_perplexity_value_is_the_exponential_of_the_mean_over_all_tokens(batch_size):
    value = counted(Perplexity(from_logits=True, mask_token_id=0), batch_size)
    assert value == pytest.approx(np.exp(NATS[TOKENS != 0].mean()), rel=1e-5)


@pytest.mark.parametrize("batch_size", [7, 23])
def test_bits_per_character_value_shares_the_bits_among_the_characters(batch_size):
    value = counted(BitsPerCharacter(from_logits=True, characters_per_token=3.0), batch_size)
    assert value == pytest.approx(NATS.mean() / np.log(2) / 3.0, rel=1e-5)


def test_perplexity_value_leaves_out_examples_of_weight_zero():
    weights = np.arange(23) % 2
    value = counted(Perplexity(from_logits=True), 5, weights)
    assert value == pytest.approx(np.exp(NATS[weights == 1].mean()), rel=1e-5)


def test_a_long_sum_keeps_its_value_where_float32_alone_would_lose_it():
    metric = Perplexity()
    metric.nats.assign(2.0**24)
    metric.tokens.assign(2**24)
    for _ in range(64):
        metric.update_state([[0]], [[[0.5, 0.5]]])
    assert float(metric.carried) == pytest.approx(64 * np.log(2), rel=1e-3)


@pytest.mark.parametrize("metric", [Perplexity(mask_token_id=0), BitsPerCharacter(characters_per_token=2.5)])
def test_a_metric_comes_back_from_its_configuration(metric):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()

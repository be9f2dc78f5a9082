from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from core.metrics import BitsPerCharacter, Perplexity
from tests.core.metrics.streaming import BATCH_SIZES, figure

RANDOM = np.random.default_rng(0)
TOKENS = RANDOM.integers(1, 5, (23, 6))
TOKENS[:, 4:] *= RANDOM.integers(0, 2, (23, 2))
LOGITS = RANDOM.normal(size=(23, 6, 5))
NATS = -np.take_along_axis(log_softmax(LOGITS, axis=-1), TOKENS[..., None], axis=-1)[..., 0]
CHARACTERS = np.array([0, 1, 2, 3, 4])


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_perplexity_has_the_value_of_the_exponential_of_the_mean_over_all_tokens(batch_size):
    received = figure(Perplexity(from_logits=True, mask_token_id=0), TOKENS, LOGITS, batch_size)
    assert received == pytest.approx(np.exp(NATS[TOKENS != 0].mean()), rel=1e-5)


@pytest.mark.parametrize("shape", [(23,), (23, 6)], ids=["examples", "tokens"])
def test_perplexity_leaves_out_what_weighs_zero(shape):
    weights = RANDOM.integers(0, 2, shape)
    received = figure(Perplexity(from_logits=True), TOKENS, LOGITS, 7, weights)
    assert received == pytest.approx(np.exp(NATS[weights == 1].mean()), rel=1e-5)


@pytest.mark.parametrize("token", [-1, 5])
def test_a_token_that_is_not_in_the_vocabulary_makes_the_value_nan(token):
    tokens = TOKENS.copy()
    tokens[2, 3] = token
    assert np.isnan(figure(Perplexity(from_logits=True), tokens, LOGITS, 23))


def test_a_masked_id_need_not_be_in_the_vocabulary():
    tokens = np.where(TOKENS == 0, -100, TOKENS)
    received = figure(Perplexity(from_logits=True, mask_token_id=-100), tokens, LOGITS, 7)
    assert received == pytest.approx(np.exp(NATS[TOKENS != 0].mean()), rel=1e-5)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_bits_per_character_has_the_value_of_all_bits_of_text_by_all_its_characters(batch_size):
    received = figure(BitsPerCharacter(CHARACTERS, from_logits=True), TOKENS, LOGITS, batch_size)
    expected = NATS[TOKENS != 0].sum() / np.log(2) / CHARACTERS[TOKENS].sum()
    assert received == pytest.approx(expected, rel=1e-5)


def test_bits_per_character_of_one_character_a_token_is_the_mean_in_bits():
    received = figure(BitsPerCharacter(from_logits=True), TOKENS, LOGITS, 7)
    assert received == pytest.approx(NATS.mean() / np.log(2), rel=1e-5)


def test_a_token_of_fewer_than_no_characters_is_refused():
    with pytest.raises(ValueError, match=r"at least 0.*Received: \[1, -2\]"):
        BitsPerCharacter([1, -2])

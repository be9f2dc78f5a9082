from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.metrics import log_loss
from sklearn.metrics.pairwise import cosine_similarity

from core.losses import InfoNCE, NTXent
from tests.core.losses.gradients import value_and_gradient

PAIRS = np.random.default_rng(0).normal(size=(5, 2, 4)).astype("float32")
NO_IDS = np.zeros(5)


def search(similarity: np.ndarray, temperature: float) -> float:
    """Return the log loss of scikit-learn for finding the diagonal."""
    probabilities = np.exp(similarity / temperature)
    return log_loss(np.arange(len(similarity)), probabilities / probabilities.sum(axis=1, keepdims=True))


def test_value_is_the_log_loss_of_finding_the_partner() -> None:
    cosine = cosine_similarity(PAIRS[:, 0], PAIRS[:, 1])
    assert float(InfoNCE(temperature=0.2)(NO_IDS, PAIRS)) == pytest.approx(search(cosine, 0.2), rel=1e-5)


def test_value_without_normalisation_is_that_of_the_dot_product() -> None:
    loss = InfoNCE(temperature=2.0, normalize=False)
    assert float(loss(NO_IDS, PAIRS)) == pytest.approx(search(PAIRS[:, 0] @ PAIRS[:, 1].T, 2.0), rel=1e-5)


def test_value_is_the_mean_of_both_directions() -> None:
    cosine = cosine_similarity(PAIRS[:, 0], PAIRS[:, 1])
    expected = (search(cosine, 0.2) + search(cosine.T, 0.2)) / 2
    assert float(InfoNCE(temperature=0.2, symmetric=True)(NO_IDS, PAIRS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_value_is_without_examples_of_the_same_id(shape: tuple) -> None:
    ids = np.array([7, 3, 7, 4, 5]).reshape(shape)
    logits = cosine_similarity(PAIRS[:, 0], PAIRS[:, 1]) / 0.2
    logits[0, 2] = logits[2, 0] = -np.inf
    expected = np.mean(logsumexp(logits, axis=1) - np.diag(logits))
    assert float(InfoNCE(temperature=0.2, mask_same_id=True)(ids, PAIRS)) == pytest.approx(expected, rel=1e-5)


def test_nt_xent_value_is_the_one_of_its_definition() -> None:
    views = np.concatenate([PAIRS[:, 0], PAIRS[:, 1]])
    logits = cosine_similarity(views) / 0.3
    partner = np.roll(np.arange(10), 5)
    losses = [logsumexp(np.delete(logits[i], i)) - logits[i, partner[i]] for i in range(10)]
    assert float(NTXent(temperature=0.3)(NO_IDS, PAIRS)) == pytest.approx(np.mean(losses), rel=1e-5)


def test_value_of_one_example_is_zero() -> None:
    assert float(InfoNCE()(NO_IDS[:1], PAIRS[:1])) == pytest.approx(0.0, abs=1e-6)
    assert float(NTXent()(NO_IDS[:1], PAIRS[:1])) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("loss", [InfoNCE(temperature=1e-3), NTXent(temperature=1e-3)])
def test_value_and_gradient_with_a_tiny_temperature_are_finite(loss: keras.losses.Loss) -> None:
    value, gradient = value_and_gradient(lambda x: loss(NO_IDS, x), PAIRS)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [InfoNCE(), NTXent()])
def test_gradient_is_finite_for_embeddings_of_zero(loss: keras.losses.Loss) -> None:
    assert np.isfinite(value_and_gradient(lambda x: loss(NO_IDS, x), np.zeros_like(PAIRS))[1]).all()


@pytest.mark.parametrize("loss", [InfoNCE, NTXent])
def test_a_temperature_of_zero_is_refused(loss: type) -> None:
    with pytest.raises(ValueError, match="temperature=0"):
        loss(temperature=0)


@pytest.mark.parametrize("loss", [InfoNCE(), NTXent()])
def test_embeddings_that_are_no_pairs_are_refused(loss: keras.losses.Loss) -> None:
    with pytest.raises(ValueError, match=r"y_pred.shape=\(5, 4\)"):
        loss(NO_IDS, PAIRS[:, 0])

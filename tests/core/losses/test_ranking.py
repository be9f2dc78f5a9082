from __future__ import annotations

import keras
import keras_rs
import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.metrics import log_loss

from core.losses import BayesianPersonalizedRanking, SampledSoftmax
from tests.core.losses.gradients import value_and_gradient

SCORES = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
IDS = np.array([[1, 2, 3, 4], [5, 1, 0, 2], [3, 4, 2, 1]])
COUNTS = np.array([10.0, 4.0, 3.0, 2.0, 1.0, 1.0])


def test_bpr_value_is_the_one_worked_out_by_hand() -> None:
    scores = np.array([[1.0, 1.0, 0.0]])
    expected = (np.log(2) + np.log1p(np.exp(-1))) / 2
    assert float(BayesianPersonalizedRanking()(np.array([[7, 3, 5]]), scores)) == pytest.approx(
        expected, rel=1e-6
    )


def test_value_of_bpr_is_the_scaled_pairwise_logistic_loss_of_keras_rs() -> None:
    labels = np.tile([1.0, 0.0, 0.0, 0.0], (3, 1))
    theirs = keras_rs.losses.PairwiseLogisticLoss()(labels, SCORES)
    assert float(BayesianPersonalizedRanking()(IDS, SCORES)) == pytest.approx(float(theirs) * 4 / 3, rel=1e-5)


def test_gradient_is_not_zero_where_all_scores_are_equal() -> None:
    scores = np.zeros((1, 3))
    value, gradient = value_and_gradient(
        lambda x: BayesianPersonalizedRanking()(np.array([[1, 2, 3]]), x), scores
    )
    assert value == pytest.approx(np.log(2))
    np.testing.assert_allclose(gradient, [[-0.5, 0.25, 0.25]], rtol=1e-6)


def test_value_of_bpr_leaves_out_padding_and_accidental_hits() -> None:
    ids = np.array([[1, 2, -1, 1]])
    expected = np.log1p(np.exp(SCORES[0, 1] - SCORES[0, 0]))
    assert float(BayesianPersonalizedRanking()(ids, SCORES[:1])) == pytest.approx(expected, rel=1e-5)


def test_value_and_gradient_of_bpr_with_no_negative_left_are_zero() -> None:
    value, gradient = value_and_gradient(
        lambda x: BayesianPersonalizedRanking()(np.array([[1, 1, -1]]), x), SCORES[:1, :3]
    )
    assert value == 0.0
    assert np.abs(gradient).max() == 0


def test_value_is_over_all_items_the_log_loss_of_scikit_learn() -> None:
    probabilities = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    expected = log_loss([0, 0, 0], probabilities, labels=[0, 1, 2, 3])
    assert float(SampledSoftmax()(IDS, SCORES)) == pytest.approx(expected, rel=1e-5)


def test_sampled_softmax_agrees_with_tensorflow_on_the_same_sample() -> None:
    import tensorflow as tf

    random = np.random.default_rng(1)
    users, items = random.normal(size=(3, 5)).astype("float32"), random.normal(size=(6, 5)).astype("float32")
    chosen, sampled = np.array([1, 5, 0]), np.array([0, 2, 1, 4])
    expected_counts = (4 * COUNTS / COUNTS.sum()).astype("float32")
    theirs = tf.nn.sampled_softmax_loss(
        weights=items,
        biases=np.zeros(6, dtype="float32"),
        labels=chosen[:, None],
        inputs=users,
        num_sampled=4,
        num_classes=6,
        sampled_values=(sampled, expected_counts[chosen][:, None], expected_counts[sampled]),
        remove_accidental_hits=True,
    )
    ids = np.concatenate([chosen[:, None], np.tile(sampled, (3, 1))], axis=1)
    scores = np.einsum("ud,ucd->uc", users, items[ids])
    ours = SampledSoftmax(sampling_probabilities=COUNTS, reduction=None)(ids, scores)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_value_is_corrected_and_masked_by_id_among_the_batch(shape: tuple) -> None:
    chosen = np.array([1, 5, 1, 0])
    scores = np.random.default_rng(2).normal(size=(4, 4))
    logits = scores - np.log(COUNTS[chosen] / COUNTS.sum())
    logits[0, 2] = logits[2, 0] = -np.inf
    expected = logsumexp(logits, axis=1) - np.diag(logits)
    ours = SampledSoftmax(sampling_probabilities=COUNTS, reduction=None)(chosen.reshape(shape), scores)
    np.testing.assert_allclose(ours, expected, rtol=1e-5)


def test_value_is_without_padding_among_the_batch() -> None:
    chosen = np.array([1, -1, 5, -1, 0])
    scores = np.random.default_rng(3).normal(size=(5, 5))
    real = chosen >= 0
    few = SampledSoftmax(sampling_probabilities=COUNTS, reduction=None)(chosen[real], scores[real][:, real])
    loss = SampledSoftmax(sampling_probabilities=COUNTS, reduction=None)
    received = np.asarray(loss(chosen, scores))
    np.testing.assert_allclose(received[real], few, rtol=1e-5)
    assert received[~real].tolist() == [0, 0]
    targets = keras.ops.convert_to_tensor(chosen)
    _, gradient = value_and_gradient(lambda x: keras.ops.sum(loss(targets, x)), scores)
    assert np.abs(gradient[~real]).max() == np.abs(gradient[:, ~real]).max() == 0
    assert np.abs(gradient[real]).max() > 0


@pytest.mark.parametrize("loss", [BayesianPersonalizedRanking(), SampledSoftmax()])
def test_value_and_gradient_where_the_chosen_item_is_padding_are_zero(loss: keras.losses.Loss) -> None:
    ids = keras.ops.convert_to_tensor([[-1, 2, 3, -1]])
    value, gradient = value_and_gradient(lambda x: loss(ids, x), SCORES[:1])
    assert value == 0.0
    assert np.abs(gradient).max() == 0


@pytest.mark.parametrize("ids", [[[1, 2, 9, 4]], [[9]]])
def test_no_value_is_given_for_an_id_without_a_probability(ids: list) -> None:
    with pytest.raises(ValueError, match=r"below 6.*Received: 9 in 1"):
        SampledSoftmax(sampling_probabilities=COUNTS)(np.array(ids), SCORES[:1, : len(ids[0])])


def test_value_is_nan_for_an_id_without_a_probability_where_none_can_be_looked_at() -> None:
    ids = keras.ops.convert_to_tensor([[1, 2, 9, 4]])
    loss = SampledSoftmax(sampling_probabilities=COUNTS)
    assert np.isnan(value_and_gradient(lambda x: loss(ids, x), SCORES[:1], compiled=True)[0])


def test_value_does_not_depend_on_the_scale_of_the_probabilities() -> None:
    values = [float(SampledSoftmax(scale * COUNTS)(IDS, SCORES)) for scale in (1.0, 100.0)]
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_value_leaves_out_padding_and_accidental_hits() -> None:
    ids = np.array([[1, 2, -1, 1]])
    expected = logsumexp(SCORES[0, :2]) - SCORES[0, 0]
    assert float(SampledSoftmax()(ids, SCORES[:1])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [BayesianPersonalizedRanking(), SampledSoftmax()])
def test_shapes_that_differ_are_refused(loss: keras.losses.Loss) -> None:
    with pytest.raises(ValueError, match=r"y_true.shape=\(3, 3\), y_pred.shape=\(3, 4\)"):
        loss(IDS[:, :3], SCORES)


def test_scores_among_the_batch_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match=r"y_pred.shape=\(3, 4\)"):
        SampledSoftmax()(IDS[:, 0], SCORES)


def test_a_probability_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"smallest=0\.0"):
        SampledSoftmax(sampling_probabilities=[0.5, 0.0])

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from scipy.special import softmax
from sklearn.calibration import calibration_curve

from core.metrics import ExpectedCalibrationError, F1Score
from tests.core.metrics.streaming import BATCH_SIZES, figure, streamed

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 4, 45)
LOGITS = RANDOM.normal(size=(45, 4)) + 2 * np.eye(4)[TRUE]
PROBABILITIES = softmax(LOGITS, axis=1)
ANSWERS = LOGITS.argmax(axis=1)
WEIGHTS = RANDOM.integers(0, 3, 45) * 0.5


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_f1_has_scikit_learns_value_whatever_the_batch_size(average, batch_size):
    expected = sklearn.metrics.f1_score(TRUE, ANSWERS, average=average)
    assert figure(F1Score(4, average), TRUE, LOGITS, batch_size) == pytest.approx(expected, abs=1e-6)


def test_f1_with_weights_has_scikit_learns_value():
    expected = sklearn.metrics.f1_score(TRUE, ANSWERS, average="macro", sample_weight=WEIGHTS)
    assert figure(F1Score(4), TRUE, LOGITS, 7, WEIGHTS) == pytest.approx(expected, abs=1e-6)


def test_f1_of_a_class_that_never_occurs_is_zero():
    expected = sklearn.metrics.f1_score([0, 1], [0, 1], labels=[0, 1, 2], average="macro", zero_division=0)
    received = figure(F1Score(3), np.array([0, 1]), np.eye(3)[[0, 1]], 2)
    assert received == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "true", [np.eye(4)[TRUE], TRUE[:, None], TRUE.astype("float32")], ids=["one-hot", "column", "float"]
)
def test_f1_reads_labels_in_any_form(true):
    assert figure(F1Score(4), true, LOGITS, 7) == figure(F1Score(4), TRUE, LOGITS, 7)


def test_f1_of_sequences_leaves_out_what_has_no_label():
    # As many places as classes: labels must not be taken for one-hot rows.
    true, logits = TRUE[:40].reshape(10, 4).copy(), LOGITS[:40].reshape(10, 4, 4)
    true[:, 3] = -1
    kept = true >= 0
    expected = sklearn.metrics.f1_score(true[kept], logits.argmax(axis=2)[kept], average="macro")
    assert figure(F1Score(4), true, logits, 7) == pytest.approx(expected, abs=1e-6)


def test_the_table_of_classes_is_scikit_learns():
    columns = streamed(F1Score(4), TRUE, LOGITS, 7).per_class()
    expected = sklearn.metrics.precision_recall_fscore_support(TRUE, ANSWERS)
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose(columns[name], values, atol=1e-12)


def test_the_table_of_classes_is_exact_beyond_what_float32_counts():
    metric = F1Score(2)
    metric.confusion.update_state([2.0**24, 0, 0, 2.0**24])
    metric.update_state([0], [[1.0, 0.0]])
    assert metric.per_class()["support"].tolist() == [2**24 + 1, 2**24]


def test_an_average_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"macro, micro, weighted.*Received: average='mean'"):
        F1Score(3, "mean")


def test_answers_for_another_number_of_classes_are_refused():
    with pytest.raises(ValueError, match=r"num_classes=3 columns\. Received: shape \(45, 4\)"):
        F1Score(3).update_state(TRUE, LOGITS)


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_calibration_error_has_the_value_of_scikit_learns_calibration_curve(batch_size):
    confidence = PROBABILITIES.max(axis=1)
    accuracy, mean_confidence = calibration_curve(ANSWERS == TRUE, confidence, n_bins=10)
    counts = np.histogram(confidence, bins=10, range=(0, 1))[0]
    expected = np.average(np.abs(accuracy - mean_confidence), weights=counts[counts > 0])
    received = figure(ExpectedCalibrationError(10), TRUE, PROBABILITIES, batch_size)
    assert received == pytest.approx(expected, abs=1e-6)


def test_calibration_error_of_two_bins_is_the_one_worked_out_by_hand():
    true = np.array([0, 0, 1, 1])
    predicted = np.array([[0.95, 0.05], [0.95, 0.05], [0.95, 0.05], [0.35, 0.65]])
    expected = 3 / 4 * abs(2 / 3 - 0.95) + 1 / 4 * abs(1 - 0.65)
    assert figure(ExpectedCalibrationError(10), true, predicted, 4) == pytest.approx(expected, abs=1e-6)


def test_a_confidence_at_the_edge_of_two_bins_counts_in_the_lower():
    metric = ExpectedCalibrationError(2)
    metric.update_state([0], [[0.5, 0.5]])
    assert np.asarray(metric.weight.result()).tolist() == [1.0, 0.0]


def test_calibration_error_from_logits_is_that_from_probabilities():
    from_logits = figure(ExpectedCalibrationError(from_logits=True), TRUE, LOGITS, 7)
    assert from_logits == pytest.approx(figure(ExpectedCalibrationError(), TRUE, PROBABILITIES, 7), abs=1e-6)


def test_calibration_error_after_a_masked_row_that_is_not_a_number_has_the_value_of_the_rest():
    predicted, weights = PROBABILITIES.copy(), np.ones(45)
    predicted[3], weights[3] = np.nan, 0
    expected = figure(ExpectedCalibrationError(), np.delete(TRUE, 3), np.delete(PROBABILITIES, 3, axis=0), 7)
    received = figure(ExpectedCalibrationError(), TRUE, predicted, 7, weights)
    assert received == pytest.approx(expected, abs=1e-6)


def test_calibration_error_leaves_out_examples_of_weight_zero():
    kept = WEIGHTS > 0
    weighted = figure(ExpectedCalibrationError(), TRUE, PROBABILITIES, 7, kept)
    few = figure(ExpectedCalibrationError(), TRUE[kept], PROBABILITIES[kept], 7)
    assert weighted == pytest.approx(few, abs=1e-6)

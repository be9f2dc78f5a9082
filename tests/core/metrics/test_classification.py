from __future__ import annotations

import keras
import numpy as np
import pytest
import sklearn.metrics

from core.metrics import ExpectedCalibrationError, F1Score

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 4, 101)
LOGITS = RANDOM.normal(size=(101, 4)) + 2 * np.eye(4)[TRUE]
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


def counted(metric, true, predicted, batch_size, weights=None):
    for start in range(0, len(true), batch_size):
        rows = slice(start, start + batch_size)
        metric.update_state(true[rows], predicted[rows], None if weights is None else weights[rows])
    return float(metric.result())


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("batch_size", [7, 101])
def test_f1_value_is_scikit_learns_whatever_the_batch_size(average, batch_size):
    expected = sklearn.metrics.f1_score(TRUE, LOGITS.argmax(axis=1), average=average)
    assert counted(F1Score(4, average), TRUE, LOGITS, batch_size) == pytest.approx(expected, abs=1e-6)


def test_f1_value_of_a_class_that_never_occurs_is_zero():
    expected = sklearn.metrics.f1_score([0, 1], [0, 1], labels=[0, 1, 2], average="macro", zero_division=0)
    assert counted(F1Score(3), np.array([0, 1]), np.eye(3)[[0, 1]], 2) == pytest.approx(expected, abs=1e-6)


def test_f1_value_from_one_hot_labels_is_that_of_integers():
    assert counted(F1Score(4), np.eye(4)[TRUE], LOGITS, 10) == counted(F1Score(4), TRUE, LOGITS, 10)


def test_f1_value_leaves_out_examples_of_weight_zero():
    weights = np.arange(101) % 3 > 0
    expected = sklearn.metrics.f1_score(TRUE[weights], LOGITS[weights].argmax(axis=1), average="macro")
    assert counted(F1Score(4), TRUE, LOGITS, 7, weights) == pytest.approx(expected, abs=1e-6)


def test_per_class_values_are_scikit_learns():
    metric = F1Score(4)
    counted(metric, TRUE, LOGITS, 7)
    expected = sklearn.metrics.precision_recall_fscore_support(TRUE, LOGITS.argmax(axis=1))
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose(metric.per_class()[name], values, atol=1e-6)


def test_counts_beyond_what_float32_holds_are_exact_in_value():
    metric = F1Score(2)
    metric.confusion.assign([[2**24, 0], [0, 2**24]])
    metric.update_state([0, 0, 0], np.eye(2)[[1, 1, 1]])
    assert np.asarray(metric.confusion)[0].tolist() == [2**24, 3]


def test_calibration_error_value_is_that_of_bins_worked_out_by_hand():
    true = np.array([0, 0, 1, 1])
    predicted = np.array([[0.95, 0.05], [0.95, 0.05], [0.95, 0.05], [0.35, 0.65]])
    expected = 3 / 4 * abs(2 / 3 - 0.95) + 1 / 4 * abs(1 - 0.65)
    assert counted(ExpectedCalibrationError(10), true, predicted, 4) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_calibration_error_value_does_not_depend_on_the_batch_size(batch_size):
    whole = counted(ExpectedCalibrationError(), TRUE, PROBABILITIES, 101)
    assert counted(ExpectedCalibrationError(), TRUE, PROBABILITIES, batch_size) == pytest.approx(
        whole, abs=1e-6
    )


def test_calibration_error_value_from_logits_is_that_from_probabilities():
    whole = counted(ExpectedCalibrationError(), TRUE, PROBABILITIES, 101)
    assert counted(ExpectedCalibrationError(from_logits=True), TRUE, LOGITS, 101) == pytest.approx(
        whole, abs=1e-6
    )


def test_metrics_follow_a_compiled_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Softmax()])
    model.compile(loss="sparse_categorical_crossentropy", metrics=[F1Score(4), ExpectedCalibrationError()])
    followed = model.evaluate(LOGITS, TRUE, batch_size=16, verbose=0, return_dict=True)
    expected = sklearn.metrics.f1_score(TRUE, LOGITS.argmax(axis=1), average="macro")
    assert followed["macro_f1"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("metric", [F1Score(3, "micro"), ExpectedCalibrationError(7, from_logits=True)])
def test_a_metric_comes_back_from_its_configuration(metric):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()


def test_an_average_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"macro, micro, weighted.*Received: average='mean'"):
        F1Score(3, "mean")

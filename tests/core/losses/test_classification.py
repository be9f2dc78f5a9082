from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from core.losses import FocalCrossentropy
from tests.core.losses.gradients import value_and_gradient

LOGITS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
CLASSES = np.array([0, 3, 1, 2, 2, 0])
ONE_HOT = np.eye(4, dtype="float32")[CLASSES]


def test_value_with_gamma_zero_is_the_log_loss_of_scikit_learn() -> None:
    loss = FocalCrossentropy(gamma=0.0, from_logits=True)
    assert float(loss(CLASSES, LOGITS)) == pytest.approx(log_loss(CLASSES, softmax(LOGITS, axis=1)), rel=1e-5)


def test_value_is_the_one_worked_out_by_hand() -> None:
    # p = 0.8 of the right class: (1 - 0.8) ** 2 * -log(0.8), times the weight 5 of its class.
    loss = FocalCrossentropy(gamma=2.0, class_weights=[1.0, 5.0])
    assert float(loss(np.array([1]), np.array([[0.2, 0.8]]))) == pytest.approx(
        5 * 0.04 * -np.log(0.8), rel=1e-5
    )


def test_value_is_that_of_keras_where_keras_has_the_loss() -> None:
    alpha = [0.25, 1.0, 2.0, 0.5]
    theirs = keras.losses.CategoricalFocalCrossentropy(
        alpha=alpha, gamma=2.0, label_smoothing=0.1, from_logits=True
    )
    ours = FocalCrossentropy(gamma=2.0, label_smoothing=0.1, class_weights=alpha, from_logits=True)
    assert float(ours(ONE_HOT, LOGITS)) == pytest.approx(float(theirs(ONE_HOT, LOGITS)), rel=1e-5)


@pytest.mark.parametrize("y_true", [CLASSES, CLASSES[:, None], CLASSES.astype("float32"), ONE_HOT])
def test_value_is_the_same_for_integers_and_one_hot_targets(y_true: np.ndarray) -> None:
    loss = FocalCrossentropy(label_smoothing=0.1, from_logits=True)
    assert float(loss(y_true, LOGITS)) == pytest.approx(float(loss(ONE_HOT, LOGITS)), rel=1e-6)


def test_value_of_a_mixed_target_is_the_mixture_of_values() -> None:
    loss = FocalCrossentropy(gamma=2.0, class_weights=[1.0, 2.0, 3.0, 4.0], from_logits=True)
    partners = np.roll(ONE_HOT, 1, axis=0)
    mixed = loss(0.7 * ONE_HOT + 0.3 * partners, LOGITS)
    assert float(mixed) == pytest.approx(
        0.7 * float(loss(ONE_HOT, LOGITS)) + 0.3 * float(loss(partners, LOGITS)), rel=1e-5
    )


def test_value_from_probabilities_is_that_from_logits() -> None:
    from_probabilities = FocalCrossentropy()(CLASSES, softmax(LOGITS, axis=1))
    assert float(from_probabilities) == pytest.approx(
        float(FocalCrossentropy(from_logits=True)(CLASSES, LOGITS)), rel=1e-5
    )


def test_value_and_gradient_stay_where_an_example_is_far_wrong() -> None:
    loss = FocalCrossentropy(from_logits=True)
    logits = np.array([[-500.0, 500.0]], dtype="float32")
    value, gradient = value_and_gradient(lambda x: loss(np.array([0]), x), logits)
    assert value == pytest.approx(1000.0)
    np.testing.assert_allclose(gradient, [[-1.0, 1.0]], atol=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_gradient_is_finite_where_an_example_is_surely_right(gamma: float) -> None:
    loss = FocalCrossentropy(gamma=gamma, label_smoothing=0.1, from_logits=True)
    logits = np.array([[500.0, -500.0]], dtype="float32")
    assert np.isfinite(value_and_gradient(lambda x: loss(np.array([0]), x), logits)[1]).all()


def test_value_and_gradient_survive_a_class_that_is_masked_with_minus_infinity() -> None:
    loss = FocalCrossentropy(from_logits=True)
    logits = np.array([[1.0, 0.0, -np.inf]], dtype="float32")
    value, gradient = value_and_gradient(lambda x: loss(np.array([0]), x), logits)
    assert value == pytest.approx(float(loss(np.array([0]), logits[:, :2])), rel=1e-5)
    assert np.isfinite(gradient).all()


def test_value_of_a_dense_prediction_has_one_loss_per_pixel() -> None:
    loss = FocalCrossentropy(from_logits=True, reduction=None)
    assert loss(np.zeros((2, 5, 5), dtype="int32"), np.zeros((2, 5, 5, 3), dtype="float32")).shape == (
        2,
        5,
        5,
    )


@pytest.mark.parametrize("wrong", [-1, 4])
def test_an_unknown_class_is_seen_as_nan(wrong: int) -> None:
    loss = FocalCrossentropy(from_logits=True, reduction=None)
    result = keras.ops.convert_to_numpy(loss(np.array([0, wrong]), LOGITS[:2]))
    np.testing.assert_array_equal(np.isnan(result), [False, True])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": -1}, "gamma=-1"),
        ({"label_smoothing": 1.0}, "label_smoothing=1.0"),
        ({"class_weights": [1.0, -1.0]}, r"class_weights=\[1.0, -1.0\]"),
    ],
)
def test_an_argument_out_of_range_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FocalCrossentropy(**arguments)


def test_too_few_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="2 weights for 4 classes"):
        FocalCrossentropy(class_weights=[1.0, 2.0])(CLASSES, LOGITS)


def test_a_single_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="BinaryFocalCrossentropy"):
        FocalCrossentropy()(np.array([[1.0]]), np.array([[0.5]]))


def test_targets_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"y_true.shape=\(6, 3\)"):
        FocalCrossentropy()(np.zeros((6, 3)), LOGITS)

from __future__ import annotations

import keras
import numpy as np
import pytest

from core.losses import HingeAdversarial, NonSaturatingAdversarial, WassersteinAdversarial, gradient_penalty
from tests.core.losses.gradients import value_and_gradient

SCORES = np.array([[2.0], [-0.5], [0.5], [-3.0]], dtype="float32")
IS_REAL = np.array([[1.0], [1.0], [0.0], [0.0]], dtype="float32")
ALL = [NonSaturatingAdversarial, HingeAdversarial, WassersteinAdversarial]


def test_discriminator_value_is_binary_crossentropy() -> None:
    theirs = keras.losses.BinaryCrossentropy(from_logits=True)(IS_REAL, SCORES)
    assert float(NonSaturatingAdversarial("discriminator")(IS_REAL, SCORES)) == pytest.approx(
        float(theirs), rel=1e-6
    )


def test_generator_value_is_that_of_wanting_to_be_real() -> None:
    wanted = keras.losses.BinaryCrossentropy(from_logits=True)(np.ones_like(SCORES), SCORES)
    assert float(NonSaturatingAdversarial("generator")(IS_REAL, SCORES)) == pytest.approx(
        float(wanted), rel=1e-6
    )


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (HingeAdversarial("discriminator"), [0.0, 1.5, 1.5, 0.0]),
        (HingeAdversarial("generator"), [-2.0, 0.5, -0.5, 3.0]),
        (WassersteinAdversarial("discriminator"), [-2.0, 0.5, 0.5, -3.0]),
        (WassersteinAdversarial("generator"), [-2.0, 0.5, -0.5, 3.0]),
    ],
)
def test_value_is_the_one_worked_out_by_hand(loss: keras.losses.Loss, expected: list[float]) -> None:
    assert float(loss(IS_REAL, SCORES)) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("loss", [kind("generator") for kind in ALL])
def test_gradient_of_the_generator_survives_a_sure_discriminator(loss: keras.losses.Loss) -> None:
    gradient = value_and_gradient(lambda x: loss(np.zeros((1, 1)), x), [[-80.0]])[1]
    assert gradient[0, 0] == pytest.approx(-1.0)


@pytest.mark.parametrize("kind", ALL)
def test_an_unknown_role_is_refused(kind: type) -> None:
    with pytest.raises(ValueError, match="role='critic'"):
        kind("critic")


@pytest.mark.parametrize("kind", ALL)
def test_labels_of_another_rank_are_refused(kind: type) -> None:
    with pytest.raises(ValueError, match=r"y_true.shape=\(4,\), y_pred.shape=\(4, 1\)"):
        kind("discriminator")(IS_REAL[:, 0], SCORES)


def test_penalty_value_is_the_one_of_a_linear_critic() -> None:
    samples = np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")

    def penalty(weights: object) -> object:
        return gradient_penalty(lambda x: keras.ops.matmul(x, weights), samples[0], samples[1], seed=1)

    # The slope of a linear critic is its weights, 5 long: (5 - 1) ** 2, and 2 * (5 - 1) * weights / 5.
    for compiled in (False, True):
        value, gradient = value_and_gradient(penalty, [[3.0], [4.0]], compiled=compiled)
        assert value == pytest.approx(16.0, rel=1e-5)
        np.testing.assert_allclose(gradient, [[4.8], [6.4]], rtol=1e-5)


def test_value_of_the_penalty_is_taken_between_the_samples() -> None:
    def critic(pictures: object) -> object:
        return keras.ops.sum(pictures**2, axis=(1, 2, 3)) / 2  # whose slope at x is x

    real, generated = np.zeros((200, 1, 1, 1), dtype="float32"), np.ones((200, 1, 1, 1), dtype="float32")
    value = gradient_penalty(critic, real, generated, seed=keras.random.SeedGenerator(1))
    # The slope is uniform in [0, 1], so the mean of (1 - slope) ** 2 is a third.
    assert float(value) == pytest.approx(1 / 3, abs=0.06)


def test_gradient_is_finite_for_the_penalty_of_a_flat_critic() -> None:
    ones = np.ones((2, 3), dtype="float32")

    def penalty(weights: object) -> object:
        return gradient_penalty(lambda x: keras.ops.matmul(x, weights), ones, ones, seed=1)

    value, gradient = value_and_gradient(penalty, np.zeros((3, 1)))
    assert value == pytest.approx(1.0, rel=1e-5)
    assert np.isfinite(gradient).all()


def test_penalty_value_is_the_one_of_a_critic_of_layers() -> None:
    critic = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="ones")])
    samples = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    assert float(gradient_penalty(critic, samples[0], samples[1], seed=1)) == pytest.approx(1.0, rel=1e-5)

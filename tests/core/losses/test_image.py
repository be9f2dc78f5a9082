from __future__ import annotations

import numpy as np
import pytest

from core.losses import Charbonnier
from tests.core.losses.gradients import value_and_gradient


def test_value_is_the_hypotenuse_of_error_and_epsilon() -> None:
    loss = Charbonnier(epsilon=3.0, reduction=None)
    y_true, y_pred = np.array([[[4.0, 0.0]]]), np.array([[[0.0, 0.0]]])
    assert np.asarray(loss(y_true, y_pred)).tolist() == [[4.0]]  # the mean of 5 and 3


def test_value_nears_the_absolute_error_far_from_zero() -> None:
    y_true, y_pred = np.full((1, 8, 8, 3), 0.9), np.full((1, 8, 8, 3), 0.2)
    assert float(Charbonnier(epsilon=1e-3)(y_true, y_pred)) == pytest.approx(0.7, rel=1e-5)


def test_value_and_gradient_of_a_perfect_picture() -> None:
    picture = np.full((1, 4, 4, 1), 0.5, dtype="float32")
    value, gradient = value_and_gradient(lambda x: Charbonnier(epsilon=1e-3)(picture, x), picture)
    assert value == pytest.approx(1e-3)
    assert np.abs(gradient).max() == 0


def test_epsilon_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="epsilon=0"):
        Charbonnier(epsilon=0)

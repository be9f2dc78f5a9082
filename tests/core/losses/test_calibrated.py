"""Binary cross-entropy with probabilities set right, worked out in NumPy."""

import numpy as np
import pytest

from core.losses import GeneralizedBinaryCrossentropy

IDS = np.array([[3, 1, 2], [1, 2, 1], [-1, 1, 2]])
SCORES = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, 9.0], [1.0, 1.0, 1.0]], "float32")


def sigmoid(score: float) -> float:
    return 1 / (1 + np.exp(-score))


@pytest.mark.parametrize(("calibration", "power"), [(0.0, 1.0), (1.0, 2 / 8), (0.5, 5 / 8)])
def test_the_chosen_item_counts_by_the_share_of_the_catalogue_that_is_scored(calibration, power):
    loss = GeneralizedBinaryCrossentropy(num_items=9, calibration=calibration, reduction=None)
    expected = -power * np.log(sigmoid(0.5)) - np.log(1 - sigmoid(-1.0)) - np.log(1 - sigmoid(2.0))
    assert float(loss(IDS, SCORES)[0]) == pytest.approx(expected, rel=1e-5)


def test_a_negative_that_is_the_chosen_item_is_left_out():
    loss = GeneralizedBinaryCrossentropy(num_items=9, calibration=0.0, reduction=None)
    expected = -np.log(sigmoid(1.5)) - np.log(1 - sigmoid(0.3))
    assert float(loss(IDS, SCORES)[1]) == pytest.approx(expected, rel=1e-5)


def test_padding_costs_nothing():
    loss = GeneralizedBinaryCrossentropy(num_items=9, reduction=None)
    assert float(loss(IDS, SCORES)[2]) == 0.0


@pytest.mark.parametrize("arguments", [{"num_items": 1}, {"num_items": 9, "calibration": 1.5}])
def test_settings_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match="Received"):
        GeneralizedBinaryCrossentropy(**arguments)

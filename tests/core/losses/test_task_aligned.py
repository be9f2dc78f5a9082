from __future__ import annotations

import keras
import numpy as np
import pytest

from core.losses import TaskAlignedDetection
from core.losses.task_aligned import complete_iou
from tests.core.losses.gradients import differentiate

BINS, CLASSES = 4, 2
NOTHING = [-1.0, 0.0, 0.0, 0.0, 0.0]


def loss_of(**settings: object) -> TaskAlignedDetection:
    return TaskAlignedDetection((16, 16), [8], num_bins=BINS, **settings)


def said(distances: list[list[int]], logits: list[list[float]]) -> np.ndarray:
    """Return what 4 places say that are sure of their distances, in strides, shape `(1, 4, 18)`."""
    bins = 20.0 * np.eye(BINS)[np.array(distances)].reshape(4, 4 * BINS)
    return np.concatenate([bins, np.array(logits)], axis=1)[None].astype("float32")


def test_a_place_that_predicts_an_object_exactly_costs_nothing_but_its_doubt() -> None:
    truth = np.array([[[1.0, -4.0, -4.0, 12.0, 12.0]]], "float32")  # a stride to each side of (4, 4)
    unsure, right = [-12.0, -12.0], [-12.0, 12.0]
    predicted = said([[1, 1, 1, 1]] + 3 * [[0, 0, 0, 0]], [right, unsure, unsure, unsure])
    assert float(loss_of()(truth, predicted)) < 0.01
    wrong_class = said([[1, 1, 1, 1]] + 3 * [[0, 0, 0, 0]], [right[::-1], unsure, unsure, unsure])
    assert float(loss_of()(truth, wrong_class)) > 5


def test_padding_changes_nothing() -> None:
    truth = np.array([[[1.0, 4.0, 4.0, 12.0, 12.0]]], "float32")
    more = np.concatenate([truth, [[NOTHING]], [[[-1.0, 0.0, 0.0, 16.0, 16.0]]]], axis=1)
    predicted = np.random.default_rng(0).normal(size=(1, 4, 4 * BINS + CLASSES)).astype("float32")
    assert float(loss_of()(more, predicted)) == pytest.approx(float(loss_of()(truth, predicted)), rel=1e-6)


def test_a_picture_without_objects_learns_that_nothing_is_there() -> None:
    truth = np.array([[NOTHING]], "float32")
    sure, unsure = (said(4 * [[1, 1, 1, 1]], 4 * [[logit] * CLASSES]) for logit in (5.0, -5.0))
    assert float(loss_of()(truth, unsure)) < 0.1 < float(loss_of()(truth, sure))


def test_of_two_objects_that_want_a_place_it_is_given_to_the_one_it_overlaps_more() -> None:
    truth = np.array([[[0.0, 0.0, 0.0, 16.0, 16.0], [1.0, 0.0, 0.0, 9.0, 9.0]]], "float32")
    boxes = np.array([[[0, 0, 9, 9], [0, 0, 16, 12], [0, 0, 16, 14], [0, 0, 16, 16]]], "float32")
    likely = np.full((1, 2, 4), 0.5, "float32")
    given, worth = loss_of()._given(truth[..., 0] >= 0, truth[..., 1:], boxes, likely)
    # The large object wants all four places, the small one only that whose middle is (4, 4).
    assert keras.ops.convert_to_numpy(given)[0].tolist() == [[0, 1, 1, 1], [1, 0, 0, 0]]
    # What predicts an object best counts as much as it overlaps it, the others less.
    assert keras.ops.convert_to_numpy(worth)[0, [0, 3]] == pytest.approx([1.0, 1.0])
    assert keras.ops.convert_to_numpy(worth)[0, 1] == pytest.approx(0.75**6, rel=1e-4)


def test_an_object_between_the_places_is_given_to_the_nearest() -> None:
    tiny = np.array([[[0.0, 6.5, 6.5, 7.5, 7.5]]], "float32")  # the middles are at 4 and 12
    loss = loss_of(top=1)
    boxes = np.tile(np.array([4.0, 4.0, 12.0, 12.0], "float32"), (1, 4, 1))
    given, _ = loss._given(tiny[..., 0] >= 0, tiny[..., 1:], boxes, np.ones((1, 1, 4), "float32"))
    assert keras.ops.convert_to_numpy(given)[0, 0].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_gradient_is_that_of_finite_differences_where_the_targets_stay() -> None:
    truth = np.array([[[1.0, 2.0, 3.0, 14.0, 12.0]]], "float32")
    predicted = np.random.default_rng(1).normal(size=(1, 4, 4 * BINS + CLASSES)).astype("float32")
    loss = loss_of()
    given, worth = np.array([[[1.0, 0.0, 1.0, 0.0]]], "float32"), np.array([[0.7, 0.0, 0.4, 0.0]], "float32")
    loss._given = lambda *arguments: (given, worth)
    at = differentiate(lambda x: loss(truth, x))
    direction, step = np.random.default_rng(2).normal(size=predicted.shape), 1e-2
    slope = (at(predicted + step * direction)[0] - at(predicted - step * direction)[0]) / (2 * step)
    assert float(slope) == pytest.approx(float(np.sum(at(predicted)[1] * direction)), rel=1e-2)


@pytest.mark.parametrize(
    ("box", "other", "expected"),
    [
        ([0, 0, 4, 4], [0, 0, 4, 4], 1.0),
        ([0, 0, 4, 4], [4, 0, 8, 4], -16 / (64 + 16)),  # they touch: the middles are 4 apart, around 8 x 4
        ([0, 0, 4, 4], [1, 1, 3, 3], 4 / 16),  # of one form, about one middle
    ],
)
def test_the_complete_iou_is_the_one_worked_out_by_hand(box: list, other: list, expected: float) -> None:
    value = complete_iou(np.array(box, "float32"), np.array(other, "float32"))
    assert float(value) == pytest.approx(expected, abs=1e-5)


def test_another_number_of_places_is_refused() -> None:
    with pytest.raises(ValueError, match="have 4 places"):
        loss_of()(np.array([[NOTHING]], "float32"), np.zeros((1, 5, 4 * BINS + CLASSES), "float32"))


@pytest.mark.parametrize("wrong", [{"num_bins": 1}, {"top": 0}])
def test_settings_without_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        TaskAlignedDetection((16, 16), [8], **wrong)

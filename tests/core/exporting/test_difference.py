from __future__ import annotations

import numpy as np
import pytest

from core.exporting.difference import Difference


def difference(expected, received) -> Difference:
    made = Difference(lambda raw: expected, lambda raw: received)
    made([])
    return made


BOXES = [np.zeros((2, 4), np.float32), np.zeros((0, 4), np.float32)]


def test_outputs_of_a_length_of_their_own_are_compared_input_by_input():
    assert difference(BOXES, [BOXES[0] + 0.25, BOXES[1]]).largest == 0.25


def test_outputs_by_name_are_compared_name_by_name():
    compared = difference({"boxes": BOXES, "count": np.array([2, 0])}, {"boxes": BOXES, "count": [2, 0]})
    assert (compared.largest, compared.misshapen) == (0.0, "")


def test_another_length_for_an_input_is_as_far_as_can_be_and_goes_on_to_the_figures():
    compared = Difference(lambda raw: BOXES, lambda raw: BOXES[::-1])
    assert [len(boxes) for boxes in compared([])] == [0, 2]
    assert (compared.share, compared.misshapen) == (float("inf"), "")


@pytest.mark.parametrize(
    ("expected", "received"),
    [
        (np.array([10_000, 3]), np.array([10_001, 3])),
        (np.array(["good"]), np.array(["bad"])),
        ([np.array([5, 2])], [np.array([5, 3])]),
    ],
)
def test_whole_numbers_and_texts_are_the_same_or_as_far_as_can_be(expected, received):
    assert difference(expected, received).share == float("inf")


@pytest.mark.parametrize(
    ("expected", "received", "reason"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), r"have the shape \(2, 4\), not \(2, 3\)"),
        (BOXES, BOXES[:1], "not one for each of 2 inputs"),
        (BOXES, np.zeros((2, 2, 4)), "not one for each of 2 inputs"),
        ({"boxes": BOXES}, {"corners": BOXES}, "corners"),
        ({"boxes": BOXES}, BOXES, "list"),
        ({"scores": np.zeros(2)}, {"scores": np.zeros(3)}, "scores"),
    ],
)
def test_outputs_of_another_form_are_refused_with_the_reason(expected, received, reason):
    import re

    assert re.search(reason, difference(expected, received).misshapen)


def test_what_is_not_finite_is_as_far_as_can_be():
    assert difference(np.zeros(2), np.array([np.nan, 0.0])).largest == float("inf")

from __future__ import annotations

import keras
import numpy as np
import pytest

from core.losses import GeneralizedIoU
from tests.core.losses.gradients import value_and_gradient


def by_counting_pixels(first: np.ndarray, second: np.ndarray) -> float:
    """Count the pixels of two boxes with whole corners and of the box around them."""

    def pixels(box: np.ndarray) -> np.ndarray:
        picture = np.zeros((20, 20), dtype=bool)
        picture[box[1] : box[3], box[0] : box[2]] = True
        return picture

    around = pixels(np.concatenate([np.minimum(first, second)[:2], np.maximum(first, second)[2:]]))
    union = pixels(first) | pixels(second)
    iou = (pixels(first) & pixels(second)).sum() / union.sum()
    return 1 - (iou - (around & ~union).sum() / around.sum())


def test_value_is_the_one_of_counted_pixels() -> None:
    corners = np.sort(np.random.default_rng(0).permuted(np.tile(np.arange(20), (40, 2, 1)), axis=-1)[..., :4])
    boxes = corners
    expected = [by_counting_pixels(first, second) for first, second in boxes]
    np.testing.assert_allclose(
        GeneralizedIoU(reduction=None)(boxes[:, 0], boxes[:, 1]), expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([0, 0, 2, 2], [0, 0, 2, 2], 0.0),  # equal
        ([0, 0, 2, 2], [1, 1, 3, 3], 1 - 1 / 7 + 2 / 9),  # overlap: U = 7, C = 9
        ([0, 0, 1, 1], [9, 0, 10, 1], 1 + 8 / 10),  # apart: U = 2, C = 10
        ([0, 0, 4, 4], [1, 1, 3, 3], 1 - 4 / 16),  # one inside the other: C = U
    ],
)
def test_value_is_the_one_worked_out_by_hand(y_true: list, y_pred: list, expected: float) -> None:
    assert float(GeneralizedIoU()(np.array([y_true]), np.array([y_pred]))) == pytest.approx(
        expected, abs=1e-6
    )


@pytest.mark.parametrize("box_format", ["yxyx", "xywh", "center_xywh", "center_yxhw"])
def test_value_is_the_same_in_every_box_format(box_format: str) -> None:
    y_true = np.array([[1.0, 2.0, 4.0, 8.0], [0.0, 0.0, 1.0, 1.0]])
    y_pred = np.array([[2.0, 1.0, 6.0, 5.0], [3.0, 3.0, 4.0, 5.0]])
    converted = [
        keras.ops.convert_to_numpy(
            keras.utils.bounding_boxes.convert_format(boxes, source="xyxy", target=box_format)
        )
        for boxes in (y_true, y_pred)
    ]
    assert float(GeneralizedIoU(box_format)(*converted)) == pytest.approx(
        float(GeneralizedIoU()(y_true, y_pred)), rel=1e-5
    )


def test_value_of_swapped_corners_is_that_of_the_same_box() -> None:
    y_true = np.array([[0.0, 0.0, 2.0, 2.0]])
    swapped, same = np.array([[3.0, 3.0, 1.0, 1.0]]), np.array([[1.0, 1.0, 3.0, 3.0]])
    assert float(GeneralizedIoU()(y_true, swapped)) == pytest.approx(float(GeneralizedIoU()(y_true, same)))


def test_gradient_pulls_a_distant_box_nearer() -> None:
    y_true = np.array([[10.0, 0.0, 11.0, 1.0]], dtype="float32")
    gradient = value_and_gradient(lambda x: GeneralizedIoU()(y_true, x), [[0.0, 0.0, 1.0, 1.0]])[1]
    assert gradient[0, 2] < 0  # a larger right edge costs less


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0),  # both a point, the same: no area, IoU 0
        ([0, 0, 2, 2], [1, 1, 1, 1], 1.0),  # a point inside
        ([1, 1, 1, 1], [3, 1, 3, 1], 1.0),  # two points on a line: nothing around either
        ([0, 0, 1, 1], [2, 0, 2, 1], 1.5),  # a line beside: U = 1, C = 2
    ],
)
def test_gradient_is_finite_for_boxes_without_area(y_true: list, y_pred: list, expected: float) -> None:
    targets = np.array([y_true], dtype="float32")
    value, gradient = value_and_gradient(lambda x: GeneralizedIoU()(targets, x), [y_pred])
    assert value == pytest.approx(expected)
    assert np.isfinite(gradient).all()


def test_value_leaves_padding_boxes_to_the_weights() -> None:
    y_true = np.array([[[0, 0, 2, 2], [0, 0, 0, 0]]], dtype="float32")
    y_pred = np.array([[[0, 0, 2, 2], [5, 5, 9, 9]]], dtype="float32")
    assert float(GeneralizedIoU()(y_true, y_pred, sample_weight=np.array([[1.0, 0.0]]))) == 0.0


def test_an_unknown_box_format_is_refused() -> None:
    with pytest.raises(ValueError, match="box_format='xyhw'"):
        GeneralizedIoU(box_format="xyhw")


def test_boxes_without_four_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape=\(1, 5\)"):
        GeneralizedIoU()(np.zeros((1, 5)), np.zeros((1, 5)))

from __future__ import annotations

import keras
import numpy as np
import pytest

from apps.vision.boxes.answers import NUM_BINS, STRIDES, answer_of, of_places, of_proposals
from apps.vision.boxes.augmentation import Augmentation, Changes, flipped, windowed
from apps.vision.boxes.digit_scenes import digit_scenes
from apps.vision.boxes.letterbox import GREY, Letterbox, letterboxed
from apps.vision.boxes.reading import labels_in
from apps.vision.boxes.suppression import suppressed
from core.losses import TaskAlignedDetection
from core.metrics.detection import intersection_over_union

SHAPE = (64, 96)


@pytest.mark.parametrize("size", [(64, 96), (480, 640), (640, 480), (7, 300), (33, 31)])
def test_boxes_come_back_from_the_letterbox_as_they_were(size: tuple[int, int]) -> None:
    height, width = size
    boxes = np.array([[0, 0, width, height], [width / 3, height / 4, width / 2, height / 2]], np.float64)
    fitted = Letterbox.of(size, SHAPE)
    inside = fitted.boxes_in(boxes)
    assert (inside >= 0).all()
    assert (inside <= np.array([96, 64, 96, 64])).all()
    np.testing.assert_allclose(fitted.boxes_out(inside), boxes, atol=1e-9)


def test_a_picture_lies_in_the_letterbox_where_its_boxes_do() -> None:
    picture = np.zeros((100, 50, 1), np.uint8)
    picture[40:60, 20:30] = 255
    fits = letterboxed(picture, SHAPE)[..., 0]
    box = Letterbox.of((100, 50), SHAPE).boxes_in(np.array([[20.0, 40, 30, 60]]))[0]
    y, x = np.nonzero(fits > 180)
    assert [x.min(), y.min(), x.max() + 1, y.max() + 1] == pytest.approx(box, abs=1)
    assert (fits[:, :30] == GREY).all()


BOXES = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 6], [50, 50, 60, 60]], np.float64)
SCORES = np.array([0.8, 0.9, 0.7, 0.6])


def test_boxes_are_suppressed_by_surer_ones_of_their_own_class_alone() -> None:
    rows, scores = suppressed(BOXES, SCORES, np.array([0, 0, 0, 1]), overlap=0.65)
    assert rows.tolist() == [1, 3]
    assert scores.tolist() == [0.9, 0.6]
    assert suppressed(BOXES, SCORES, np.array([0, 1, 2, 3]), overlap=0.5)[0].tolist() == [1, 0, 2, 3]
    # The third overlaps the first by 6 / 10, and the second by 6 / 9.
    assert suppressed(BOXES, SCORES, np.zeros(4, int), overlap=0.67)[0].tolist() == [1, 2, 3]


def test_soft_suppression_lowers_scores_by_the_gaussian_of_the_overlap() -> None:
    rows, scores = suppressed(BOXES[[1, 2, 3]], SCORES[[1, 2, 3]], np.zeros(3, int), overlap=0.5, soft=True)
    assert rows.tolist() == [0, 2, 1]
    assert scores == pytest.approx([0.9, 0.6, 0.7 * np.exp(-((6 / 9) ** 2) / 0.5)])


def test_places_predict_the_same_boxes_in_numpy_as_in_the_loss() -> None:
    output = np.random.default_rng(0).normal(size=(126, 4 * NUM_BINS + 2)).astype("float32")
    boxes, probabilities = of_places(output, SHAPE)
    bins = output[None, :, : 4 * NUM_BINS].reshape(1, -1, 4, NUM_BINS)
    expected = keras.ops.convert_to_numpy(TaskAlignedDetection(SHAPE, STRIDES)._boxes(bins))[0]
    np.testing.assert_allclose(boxes, expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-output[:, -2:])), rtol=1e-5)


def test_proposals_of_the_background_are_no_boxes() -> None:
    boxes = np.array([[0, 0, 20, 20], [30, 30, 50, 50]], "float32")
    logits = np.array([[5.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    answer = answer_of(
        of_proposals(boxes, logits), ["cat", "dog"], Letterbox.of(SHAPE, SHAPE), confidence=0.25, overlap=0.5
    )
    assert [(each["label"], each["box"]) for each in answer["boxes"]] == [("cat", [0.0, 0.0, 20.0, 20.0])]


def squares(count: int = 6) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return pictures of one light square each on a dark ground, and its box."""
    random = np.random.default_rng(0)
    pictures, objects = np.zeros((count, *SHAPE, 3), np.uint8), []
    for picture in pictures:
        top, left, side = (int(random.integers(low, high)) for low, high in ((4, 30), (4, 60), (16, 28)))
        picture[top : top + side, left : left + side] = 255
        objects.append(np.array([[1, left, top, left + side, top + side]], np.float32))
    return pictures, objects


def box_of_light(picture: np.ndarray) -> list[float]:
    y, x = np.nonzero(picture[..., 0] > 180)
    return [x.min(), y.min(), x.max() + 1, y.max() + 1]


def test_a_box_follows_its_object_through_a_window() -> None:
    (picture, *_), (objects, *_) = squares()
    seen, boxes = windowed(picture, objects, -3.0, 2.5, 0.8, (60, 90))
    assert boxes[0, 0] == 1
    assert boxes[0, 1:].tolist() == pytest.approx(box_of_light(seen), abs=1.01)


@pytest.mark.parametrize(("across", "down"), [(True, False), (False, True), (True, True)])
def test_a_box_follows_its_object_when_mirrored(across: bool, down: bool) -> None:
    (picture, *_), (objects, *_) = squares()
    seen, boxes = flipped((picture, objects), across=across, down=down)
    assert boxes[0, 1:].tolist() == box_of_light(seen)


def test_an_object_of_which_little_is_left_is_left_out() -> None:
    (picture, *_), (objects, *_) = squares()
    left, right = objects[0, 1], objects[0, 3]
    width = int(right - left)
    assert len(windowed(picture, objects, 0.0, left + 0.5 * width, 1.0, SHAPE)[1]) == 1
    assert len(windowed(picture, objects, 0.0, left + 0.8 * width, 1.0, SHAPE)[1]) == 0


ALL = Changes(mosaic=0.7, mixup=0.5, scale=0.4, shift=0.1, flip=True, flip_vertical=True, colour=0.3)


def test_a_batch_is_a_function_of_rows_and_seed_alone() -> None:
    augmentation = Augmentation(*squares(), ALL)
    rows, seed = np.arange(6), np.array([-5, 7], np.int32)
    pictures, objects = augmentation.batch(rows, seed)
    again = augmentation.batch(rows, seed)
    np.testing.assert_array_equal(pictures, again[0])
    np.testing.assert_array_equal(objects, again[1])
    assert (pictures != augmentation.batch(rows, np.array([-5, 8], np.int32))[0]).any()


def test_a_mosaic_holds_objects_of_four_pictures_where_they_are() -> None:
    pictures, objects = squares()
    seen, boxes = Augmentation(pictures, objects, Changes(mosaic=1.0, scale=0.3)).batch(
        np.arange(6), np.array([1, 2], np.int32)
    )
    real = boxes[..., 0] >= 0
    assert seen.shape == pictures.shape
    assert real.sum() > 8  # of 24, many are cut away
    for picture, own in zip(seen, boxes, strict=True):
        for _, left, top, right, bottom in own[own[:, 0] >= 0]:
            inside = picture[round(top) + 1 : round(bottom) - 1, round(left) + 1 : round(right) - 1, 0]
            assert inside.min() > 180


def test_nothing_is_changed_where_nothing_is_asked_for() -> None:
    pictures, objects = squares()
    seen, boxes = Augmentation(pictures, objects, Changes()).batch(np.arange(6), np.array([1, 2], np.int32))
    np.testing.assert_array_equal(seen, pictures)
    np.testing.assert_array_equal(boxes[:, 0], np.concatenate(objects))


def digits(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return rings that each have a lightness of their own, as digits."""
    pictures = np.zeros((count, 28, 28, 1), np.uint8)
    pictures[:, 6:22, 9:19] = 200
    return pictures, np.array([str(number % 10) for number in range(count)])


def test_scenes_hold_whole_digits_that_do_not_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.vision.boxes.digit_scenes.SCENES", {"train": 6, "validation": 2, "test": 3})
    parts = digit_scenes(*digits())
    assert {part: len(examples) for part, examples in parts.items()} == {
        "train": 6,
        "validation": 2,
        "test": 3,
    }
    for examples in parts.values():
        for row, labels in enumerate(labels_in(examples)):
            boxes = examples.ragged("boxes")[row]
            assert len(labels) == len(boxes) >= 1
            overlap = intersection_over_union(boxes, boxes)
            assert overlap.sum() == pytest.approx(len(boxes))
            for left, top, right, bottom in boxes.astype(int):
                assert examples["image"][row, top:bottom, left:right].mean() > 100


def test_no_digit_stands_in_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.vision.boxes.digit_scenes.SCENES", {"train": 30, "validation": 9, "test": 9})
    pictures, _ = digits()
    parts = digit_scenes(pictures, np.array([f"digit {number}" for number in range(len(pictures))]))
    seen = {part: {name for labels in labels_in(each) for name in labels} for part, each in parts.items()}
    assert seen["train"]
    assert seen["test"]
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["validation"]

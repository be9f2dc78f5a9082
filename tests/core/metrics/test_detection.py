from __future__ import annotations

import contextlib
import io

import keras
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.metrics import MeanAveragePrecision, intersection_over_union

RANDOM = np.random.default_rng(0)


def pictures() -> tuple[list[dict], list[dict]]:
    """40 pictures with boxes of 3 classes; detections are moved, missed, doubled, of the wrong class."""
    true, found = [], []
    for _ in range(40):
        count = RANDOM.integers(0, 6)
        corner = RANDOM.uniform(0, 60, (count, 2))
        boxes = np.concatenate([corner, corner + RANDOM.uniform(10, 40, (count, 2))], axis=1)
        classes = RANDOM.integers(0, 3, count)
        chosen = RANDOM.integers(0, max(count, 1), RANDOM.integers(0, 8) if count else 0)
        wrong = RANDOM.random(len(chosen)) < 0.2
        true.append({"boxes": boxes, "classes": classes})
        found.append(
            {
                "boxes": boxes[chosen] + RANDOM.normal(0, 1.5, (len(chosen), 4)),
                "classes": np.where(wrong, (classes[chosen] + 1) % 3, classes[chosen]),
                "scores": RANDOM.random(len(chosen)),
            }
        )
    return true, found


TRUE, FOUND = pictures()


def by_coco(true, found) -> np.ndarray:
    def as_coco(boxes):
        return [boxes[0], boxes[1], boxes[2] - boxes[0], boxes[3] - boxes[1]]

    annotations, detections = [], []
    for image, (expected, received) in enumerate(zip(true, found, strict=True)):
        for box, label in zip(expected["boxes"], expected["classes"], strict=True):
            box = as_coco(box)
            annotations.append(
                {
                    "image_id": image,
                    "category_id": int(label),
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
                | {"id": len(annotations) + 1}
            )
        for box, label, score in zip(received["boxes"], received["classes"], received["scores"], strict=True):
            detections.append(
                {"image_id": image, "category_id": int(label), "bbox": as_coco(box), "score": score}
            )
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(len(true))],
            "annotations": annotations,
            "categories": [{"id": label} for label in range(3)],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(detections), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats


@pytest.mark.parametrize(("thresholds", "place"), [((0.5,), 1), ((0.75,), 2), (None, 0)])
def test_value_is_that_of_pycocotools(thresholds, place):
    metric = MeanAveragePrecision(thresholds) if thresholds else MeanAveragePrecision()
    metric.update_state(TRUE, FOUND)
    assert metric.result() == pytest.approx(by_coco(TRUE, FOUND)[place], abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_value_does_not_depend_on_the_batch_size(batch_size):
    whole, parts = MeanAveragePrecision(), MeanAveragePrecision()
    whole.update_state(TRUE, FOUND)
    for start in range(0, 40, batch_size):
        parts.update_state(TRUE[start : start + batch_size], FOUND[start : start + batch_size])
    assert parts.result() == whole.result()


def test_overlap_value_of_boxes_without_area_is_zero():
    assert intersection_over_union(np.zeros((1, 4)), np.zeros((2, 4))).tolist() == [[0.0, 0.0]]


def test_pictures_of_weight_zero_do_not_change_the_value():
    few, weighted = MeanAveragePrecision(), MeanAveragePrecision()
    few.update_state(TRUE[:10], FOUND[:10])
    weighted.update_state(TRUE, FOUND, np.arange(40) < 10)
    assert weighted.result() == few.result()


def test_reset_forgets_all_pictures():
    metric = MeanAveragePrecision()
    metric.update_state(TRUE, FOUND)
    metric.reset_state()
    assert metric.result() == 0


def test_the_metric_comes_back_from_its_configuration():
    metric = MeanAveragePrecision((0.5, 0.75), max_detections=10)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert (again.iou_thresholds, again.max_detections) == ((0.5, 0.75), 10)

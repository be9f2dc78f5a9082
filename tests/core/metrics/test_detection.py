from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.metrics import MeanAveragePrecision, intersection_over_union
from tests.core.metrics.streaming import streamed

RANDOM = np.random.default_rng(0)
NUM_PICTURES = 40
NUM_CLASSES = 3


def picture(detections_of_one: int) -> tuple[dict, dict]:
    """Boxes, some of them crowds; detections are moved, missed, doubled, of the wrong class."""
    count = RANDOM.integers(0, 6)
    corner = RANDOM.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corner, corner + RANDOM.uniform(10, 40, (count, 2))], axis=1)
    classes = RANDOM.integers(0, NUM_CLASSES, count)
    chosen = RANDOM.integers(0, max(count, 1), RANDOM.integers(0, detections_of_one) if count else 0)
    wrong = RANDOM.random(len(chosen)) < 0.2
    true = {"boxes": boxes, "classes": classes, "crowd": RANDOM.random(count) < 0.15}
    predicted = {
        "boxes": boxes[chosen] + RANDOM.normal(0, 1.5, (len(chosen), 4)),
        "classes": np.where(wrong, (classes[chosen] + 1) % NUM_CLASSES, classes[chosen]),
        # Few digits, so that some are equal.
        "scores": RANDOM.random(len(chosen)).round(2),
    }
    return true, predicted


TRUE, PREDICTED = zip(*(picture(8 if number else 600) for number in range(NUM_PICTURES)), strict=True)
FREE = [{name: column for name, column in true.items() if name != "crowd"} for true in TRUE]


def by_coco(pictures) -> np.ndarray:
    annotations, detections = [], []
    for image, (true, predicted) in enumerate(zip(pictures, PREDICTED, strict=True)):
        crowd = true.get("crowd", np.zeros(len(true["boxes"])))
        for box, label, many in zip(true["boxes"], true["classes"], crowd, strict=True):
            left, top, width, height = [*box[:2], *(box[2:] - box[:2])]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(label),
                    "bbox": [left, top, width, height],
                    "area": width * height,
                    "iscrowd": int(many),
                }
            )
        for box, label, score in zip(
            predicted["boxes"], predicted["classes"], predicted["scores"], strict=True
        ):
            corners = [*box[:2], *(box[2:] - box[:2])]
            detections.append({"image_id": image, "category_id": int(label), "bbox": corners, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(NUM_PICTURES)],
            "annotations": annotations,
            "categories": [{"id": label} for label in range(NUM_CLASSES)],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(detections), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats[:3]


@pytest.mark.parametrize("pictures", [FREE, TRUE], ids=["no crowds", "crowds"])
def test_the_figures_are_those_of_pycocotools(pictures):
    metric = streamed(MeanAveragePrecision(), pictures, PREDICTED, NUM_PICTURES)
    received = [metric.result(), metric.at(0.5), metric.at(0.75)]
    assert received == pytest.approx(by_coco(pictures).tolist(), abs=1e-9)


def test_crowds_and_the_limit_of_detections_matter_to_these_figures():
    usual = streamed(MeanAveragePrecision(), TRUE, PREDICTED, NUM_PICTURES).result()
    assert usual != streamed(MeanAveragePrecision(), FREE, PREDICTED, NUM_PICTURES).result()
    assert (
        usual != streamed(MeanAveragePrecision(max_detections=1000), TRUE, PREDICTED, NUM_PICTURES).result()
    )


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_figure_does_not_depend_on_the_batch_size(batch_size):
    whole = streamed(MeanAveragePrecision(), TRUE, PREDICTED, NUM_PICTURES)
    assert streamed(MeanAveragePrecision(), TRUE, PREDICTED, batch_size).result() == whole.result()


def test_overlap_of_boxes_without_area_is_zero():
    assert intersection_over_union(np.zeros((1, 4)), np.zeros((2, 4))).tolist() == [[0.0, 0.0]]


def test_a_box_within_a_crowd_overlaps_it_wholly():
    overlap = intersection_over_union([[0, 0, 1, 1]], [[0, 0, 2, 2], [0, 0, 2, 2]], crowd=[False, True])
    assert overlap.tolist() == [[0.25, 1.0]]


def test_of_boxes_overlapped_alike_the_last_is_taken_as_coco_does():
    true = {"boxes": [[0, 0, 10, 10], [20, 0, 30, 10]], "classes": [0, 0]}
    predicted = {"boxes": [[0, 0, 30, 10], [0, 0, 10, 10]], "classes": [0, 0], "scores": [0.9, 0.8]}
    assert streamed(MeanAveragePrecision((0.3,)), [true], [predicted], 1).result() == 1.0


def test_padded_boxes_do_not_count():
    padded = [{"boxes": [[0, 0, 9, 9], [0, 0, 0, 0]], "classes": [1, -1]}]
    metric = streamed(MeanAveragePrecision(), padded, [{**padded[0], "scores": [0.9, 0.0]}], 1)
    assert (metric.result(), list(metric.per_class())) == (1.0, [1])


def test_pictures_of_weight_zero_do_not_count():
    weighted = streamed(MeanAveragePrecision(), TRUE, PREDICTED, 7, np.arange(NUM_PICTURES) < 10)
    assert weighted.result() == streamed(MeanAveragePrecision(), TRUE[:10], PREDICTED[:10], 10).result()


def test_reset_forgets_all_pictures():
    metric = streamed(MeanAveragePrecision(), TRUE, PREDICTED, NUM_PICTURES)
    metric.reset_state()
    assert metric.result() == 0


def test_a_score_too_few_is_refused():
    with pytest.raises(ValueError, match="Received: 1 boxes, 1 classes, 0 scores"):
        MeanAveragePrecision().update_state(
            [{"boxes": [], "classes": []}], [{"boxes": [[0, 0, 1, 1]], "classes": [0], "scores": []}]
        )


def test_an_overlap_that_was_not_counted_is_refused():
    with pytest.raises(ValueError, match=r"Only \(0.5,\) were counted. Received: 0.75"):
        MeanAveragePrecision((0.5,)).at(0.75)

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.answers.boxes import Boxes
from core.answers.boxes.detections import Objects
from core.answers.boxes.errors import errors_of
from core.answers.significance import intervals
from tests.core.answers.pages import page_of_rows

LABELS = ["cat", "dog", "tree"]
SIZE = [200, 300]


def rows(count: int = 60, seed: int = 0) -> list[dict]:
    """Pictures whose objects are moved, missed, doubled, of another class, or not there."""
    random = np.random.default_rng(seed)
    made = []
    for place in range(count):
        num_true = random.integers(0, 6)
        corner = random.uniform(0, 120, (num_true, 2))
        boxes = np.concatenate([corner, corner + random.choice([12, 40, 110], (num_true, 2))], axis=1)
        labels = random.choice(LABELS, num_true)
        chosen = random.integers(0, num_true, random.integers(0, 9)) if num_true else []
        predicted = [
            {
                "label": str(labels[which] if random.random() > 0.2 else random.choice(LABELS)),
                "box": (boxes[which] + random.normal(0, 3, 4)).tolist(),
                "score": round(float(random.random()), 2),  # few digits, so that some are equal
            }
            for which in chosen
        ]
        corner = random.uniform(0, 150, 2)
        predicted.append({"label": "cat", "box": [*corner, *(corner + 30)], "score": 0.3})
        true = [{"label": str(label), "box": box.tolist()} for label, box in zip(labels, boxes, strict=True)]
        made.append({"row": place, "size": SIZE, "true": true, "predicted": predicted})
    return made


ROWS = rows()


def coco_figures(rows: list[dict]) -> np.ndarray:
    """Return what pycocotools says: the mean precision, at 0.5, at 0.75, of small, medium, large objects."""
    annotations, detections = [], []
    for image, row in enumerate(rows):
        for each in row["true"]:
            left, top, right, bottom = each["box"]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": LABELS.index(each["label"]),
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                }
            )
        for each in row["predicted"]:
            left, top, right, bottom = each["box"]
            detections.append(
                {
                    "image_id": image,
                    "category_id": LABELS.index(each["label"]),
                    "bbox": [left, top, right - left, bottom - top],
                    "score": each["score"],
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(len(rows))],
            "annotations": annotations,
            "categories": [{"id": label} for label in range(len(LABELS))],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(detections), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats[:6]


def statistics(answers: Boxes, places: list[int] | None = None) -> dict[str, float]:
    return answers.statistics(np.arange(len(answers)) if places is None else np.array(places))


def test_the_figures_are_those_of_pycocotools():
    received = statistics(Boxes.from_rows(ROWS))
    expected = coco_figures(ROWS)
    assert [received["ap50_95"], received["ap50"]] == pytest.approx(expected[:2].tolist(), abs=1e-9)


def test_the_figures_by_size_are_those_of_pycocotools():
    sizes = Boxes.from_rows(ROWS).details()["sizes"]
    received = [sizes[name]["ap50_95"] for name in ("small", "medium", "large")]
    assert received == pytest.approx(coco_figures(ROWS)[3:].tolist(), abs=1e-9)
    assert sum(row["true"] for row in sizes.values()) == sum(len(row["true"]) for row in ROWS)


def test_a_resampled_picture_counts_as_often_as_it_is_drawn():
    places = np.sort(np.random.default_rng(1).integers(0, len(ROWS), len(ROWS))).tolist()
    # Of equal scores the order is not defined: here are none.
    distinct = rows(seed=2)
    random = np.random.default_rng(3)
    for row in distinct:
        for each in row["predicted"]:
            each["score"] = float(random.random())
    received = statistics(Boxes.from_rows(distinct), places)
    expected = coco_figures([distinct[place] for place in places])
    assert [received["ap50_95"], received["ap50"]] == pytest.approx(expected[:2].tolist(), abs=1e-9)


def test_intervals_of_many_pictures_take_seconds():
    answers = Boxes.from_rows(rows(1000))
    start = time.perf_counter()
    bounds = intervals(answers.statistics, len(answers))
    assert time.perf_counter() - start < 30
    value = statistics(answers)
    assert all(bounds[name].low < value[name] < bounds[name].high for name in value)


def test_slices_are_compared_by_a_mean_over_pictures():
    answers = Boxes.from_rows(ROWS)
    assert answers.of_loss(float(answers.losses.mean())) == pytest.approx(
        statistics(answers)[Boxes.figure()], abs=1e-12
    )
    assert not Boxes.lower_is_better()


def test_a_picture_in_which_nothing_is_and_nothing_is_found_is_right():
    answers = Boxes.from_rows([{"size": SIZE, "true": [], "predicted": []}])
    assert answers.losses.tolist() == [0.0]
    assert answers.mistakes(3).tolist() == []
    assert statistics(answers)["ap50"] == 0.0


def objects(*boxes: tuple[list[float], int]) -> Objects:
    corners = np.array([box for box, _ in boxes], np.float64).reshape(-1, 4)
    return Objects(corners, np.array([label for _, label in boxes], np.int64), np.ones(len(boxes)))


def test_each_kind_of_mistake_is_told_from_the_others():
    true = objects(([0, 0, 10, 10], 0), ([50, 0, 60, 10], 1), ([0, 50, 10, 60], 0), ([90, 90, 99, 99], 1))
    predicted = objects(
        ([0, 0, 10, 9], 0),  # hits
        ([0, 1, 10, 10], 0),  # the same again
        ([50, 0, 60, 10], 0),  # another class
        ([5, 50, 15, 60], 0),  # overlaps by a third
        ([20, 20, 30, 30], 1),  # nothing there
    )
    errors = errors_of(true, predicted)
    assert errors.hits.tolist() == [[0, 0]]
    assert errors.confused.tolist() == [[1, 2]]
    assert errors.duplicates.tolist() == [1]
    assert errors.misplaced.tolist() == [3]
    assert errors.background.tolist() == [4]
    assert errors.missed.tolist() == [2, 3]
    assert errors.loose == 0


def test_a_hit_that_is_lost_at_three_quarters_is_loose():
    assert errors_of(objects(([0, 0, 10, 10], 0)), objects(([0, 0, 10, 6], 0))).loose == 1


def test_the_confusion_holds_every_object_and_every_prediction_of_the_score():
    answers = Boxes.from_rows(ROWS)
    details = answers.details()
    confusion = np.array(details["confusion"])
    assert confusion[:-1].sum(axis=1).tolist() == [row["true"] for row in details["per_class"].values()]
    sure = sum(each["score"] >= answers.score for row in ROWS for each in row["predicted"])
    assert confusion[:, :-1].sum() == sure


def test_the_score_is_that_of_the_best_f1():
    answers = Boxes.from_rows(ROWS)

    def f1(score: float) -> float:
        pairs = zip(answers.truths, answers.predictions, strict=True)
        hits = sum(len(errors_of(true, each.at_least(score)).hits) for true, each in pairs)
        said = sum(len(each.at_least(score)) for each in answers.predictions)
        return 2 * hits / (said + sum(len(true) for true in answers.truths))

    scores = {each["score"] for row in ROWS for each in row["predicted"]}
    assert f1(answers.score) == pytest.approx(max(map(f1, scores)))


def test_the_worst_pictures_come_first_and_right_ones_not_at_all():
    answers = Boxes.from_rows(ROWS)
    worst = answers.mistakes(len(ROWS))
    assert (np.diff(answers.picture_f1[worst]) >= 0).all()
    assert (answers.picture_f1[worst] < 1).all()
    assert len(worst) == (answers.picture_f1 < 1).sum()


def titles(rows: list[dict]) -> list[str]:
    details = Boxes.from_rows(rows).details()
    return [finding.title for finding in Boxes.findings({"details": details})]


def several(true: list[dict], predicted: list[dict], count: int = 10) -> list[dict]:
    return [{"size": SIZE, "true": true, "predicted": predicted}] * count


CAT = {"label": "cat", "box": [0, 0, 40, 40]}
MOUSE = {"label": "cat", "box": [100, 100, 110, 110]}


def test_right_answers_need_no_mending():
    assert titles(several([CAT], [{**CAT, "score": 0.9}])) == []


@pytest.mark.parametrize(
    ("true", "predicted", "title"),
    [
        ([CAT, MOUSE], [{**CAT, "score": 0.9}], "Small objects are missed"),
        ([CAT], [{**CAT, "score": 0.9}, {**CAT, "score": 0.9}], "Objects are found twice"),
        ([CAT], [{**CAT, "score": 0.9}, {**MOUSE, "score": 0.9}], "Background is taken for objects"),
        ([CAT], [{"label": "cat", "box": [0, 0, 40, 25], "score": 0.9}], "Boxes are badly placed"),
        ([CAT], [{**CAT, "label": "dog", "score": 0.9}], "“cat” is taken for “dog”"),
        ([CAT, {**MOUSE, "label": "dog"}], [{**CAT, "score": 0.9}], "“dog” is found worst"),
    ],
)
def test_what_goes_wrong_often_is_named(true, predicted, title):
    assert title in titles(several(true, predicted))


def test_the_report_shows_the_section_and_the_pictures_with_their_boxes():
    canvas = np.full((*SIZE, 3), 200, np.uint8)
    page, figures, drawn = page_of_rows(Boxes, ROWS, [{"picture": canvas, "place": "garden"}] * len(ROWS))
    assert figures["figures"][0]["name"] == "ap50"
    assert figures["figures"][0]["value"] == pytest.approx(coco_figures(ROWS)[1], abs=1e-9)
    assert all(label in page for label in ("Class by class", "By size", "found more than once", "garden"))
    assert {"precision_recall", "confusion"} <= set(drawn)
    assert page.count('class="large"') == len(figures["mistakes"]) > 0


def test_boxes_are_drawn_where_they_are_on_a_picture_of_another_size():
    import base64

    picture = np.zeros((20, 40, 3), np.uint8)
    row = {"size": [100, 200], "true": [{"label": "cat", "box": [100, 50, 190, 90]}], "predicted": []}
    item = Boxes.shown(row, {"picture": picture})[0]
    content = base64.b64decode(item.content.partition(",")[2])
    drawn = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert drawn.shape == (200, 400, 3)
    coloured = np.argwhere(drawn.sum(axis=2) > 0)
    assert np.abs(coloured.min(axis=0) - [100, 200]).max() <= 4
    assert np.abs(coloured.max(axis=0) - [180, 380]).max() <= 4


@pytest.mark.parametrize("row", [{"size": SIZE, "predicted": []}, {"true": [], "predicted": [CAT]}])
def test_rows_without_truth_and_predictions_without_a_score_are_refused(row):
    with pytest.raises(KeyError):
        Boxes.from_rows([row])


def test_classes_stand_in_the_table_of_a_console():
    table = Boxes.table({"per_class": Boxes.from_rows(ROWS).per_class()})
    assert [row[0] for row in table.rows] == LABELS
    assert table.header[:2] == ["class", "ap50"]


def test_an_answer_is_drawn_over_its_picture_in_its_own_size() -> None:
    picture = np.zeros((40, 60, 1), np.uint8)
    answer = {"boxes": [{"label": "cat", "box": [10, 20, 50, 35], "score": 0.9}], "size": [40, 60]}
    drawn = Boxes.drawn(answer, picture)
    assert drawn.shape == (40, 60, 3)
    assert drawn[30, 10].any()  # the left side
    assert drawn[35, 40].any()  # the lower side
    assert not drawn[27:33, 14:46].any()  # what is inside


def test_an_answer_is_drawn_over_the_file_that_it_answers(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 12), 77, np.uint8)).save(tmp_path / "a.png")
    drawn = Boxes.drawn({"boxes": [], "size": [8, 12]}, str(tmp_path / "a.png"))
    assert drawn.tolist() == np.full((8, 12, 3), 77).tolist()

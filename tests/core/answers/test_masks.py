from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from core.answers.masks import Masks, agreement
from core.answers.significance import intervals
from tests.core.answers.pages import report_of, shown_on_the_page

LABELS = ["ground", "cat", "dog", "tree"]


def masks(count: int = 12) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of predicted and true masks of several sizes; no tree is ever there, dogs are seldom."""
    random = np.random.default_rng(0)
    pairs = []
    for row in range(count):
        true = np.zeros((20 + row, 30), np.uint8)
        true[3:12, 4:20] = 1
        if row % 3 == 0:
            true[14:18, 20:28] = 2
        predicted = true.copy()
        wrong = random.random(true.shape) < 0.1
        predicted[wrong] = random.integers(0, 3, wrong.sum())
        pairs.append((predicted, true))
    return pairs


def rows(**settings) -> list[dict]:
    return [
        {"row": row, **agreement(predicted, true, LABELS, **settings)}
        for row, (predicted, true) in enumerate(masks())
    ]


def all_pixels() -> tuple[np.ndarray, np.ndarray]:
    predicted, true = zip(*masks(), strict=True)
    return np.concatenate([mask.reshape(-1) for mask in predicted]), np.concatenate(
        [mask.reshape(-1) for mask in true]
    )


@pytest.mark.parametrize(("background", "judged"), [(None, [0, 1, 2]), ("ground", [1, 2])])
def test_overlaps_are_those_of_scikit_learn_over_all_pixels(background, judged):
    figures = Masks.from_rows(rows(background=background)).statistics(np.arange(12))
    predicted, true = all_pixels()
    expected = jaccard_score(true, predicted, average=None, labels=judged).mean()
    assert figures["miou"] == pytest.approx(expected)
    assert figures["dice"] == pytest.approx(f1_score(true, predicted, average=None, labels=judged).mean())


def test_a_picture_counts_as_often_as_it_is_drawn():
    answers, pairs = Masks.from_rows(rows()), masks()
    drawn = np.array([0, 0, 5])
    predicted, true = (np.concatenate([pairs[row][side].reshape(-1) for row in drawn]) for side in (0, 1))
    expected = jaccard_score(true, predicted, average=None, labels=[0, 1, 2]).mean()
    assert answers.statistics(drawn)["miou"] == pytest.approx(expected)


def square(left: int) -> np.ndarray:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, left : left + 8] = 1
    return mask


@pytest.mark.parametrize(("moved", "tolerance", "found"), [(0, 0, 32), (2, 2, 32), (3, 2, 18), (1, 0, 14)])
def test_edges_count_as_found_within_the_tolerance(moved, tolerance, found):
    # Of ten rows and eight columns. Moved by 3, one side has nothing near, the other its ends alone.
    row = agreement(square(6 + moved), square(6), ["a", "b"], background="a", tolerance=tolerance)
    assert row["edges"]["b"] == [found, 32, found, 32]
    assert Masks.from_rows([row]).statistics(np.arange(1))["boundary_f1"] == pytest.approx(found / 32)


def test_the_page_names_each_class_and_its_share(tmp_path):
    classes = [{"class": "wall", "value": 0, "share": 0.25}, {"class": "cell", "value": 255, "share": 0.75}]
    script = shown_on_the_page(Masks, {"mask": "data:image/png;base64,", "classes": classes}, tmp_path)
    assert "wall" in script
    assert "75.0%" in script


def test_pixels_that_nobody_judged_don_t_count():
    predicted, true = square(6), square(6)
    predicted[0] = 1
    true[0] = 255
    assert Masks.from_rows([agreement(predicted, true, ["a", "b"])]).statistics(np.arange(1))["miou"] == 1.0


def test_a_class_that_is_never_there_counts_for_nothing_unless_it_is_predicted():
    empty = np.zeros((4, 4), np.uint8)
    nothing = Masks.from_rows([agreement(empty, empty, ["a", "b"])])
    assert nothing.statistics(np.arange(1))["miou"] == 1.0
    said = empty.copy()
    said[0] = 1
    wrong = Masks.from_rows([agreement(said, empty, ["a", "b"])])
    assert wrong.statistics(np.arange(1))["miou"] == pytest.approx((0.75 + 0) / 2)
    assert wrong.statistics(np.arange(1))["boundary_f1"] < 1


def test_the_worst_pictures_come_first_and_right_ones_not_at_all():
    told = rows()
    told.append({"row": 12, **agreement(square(6), square(6), LABELS)})
    answers = Masks.from_rows(told)
    order = answers.mistakes(20)
    assert 12 not in order
    assert (np.diff(answers.picture_iou[order]) >= 0).all()


def test_figures_have_intervals():
    answers = Masks.from_rows(rows())
    low, high = intervals(answers.statistics, len(answers), resamples=50)["miou"]
    assert low < answers.statistics(np.arange(len(answers)))["miou"] < high


def test_a_report_shows_classes_and_what_is_taken_for_what():
    figures, page = report_of(Masks, rows())
    assert "What is taken for what" in page
    assert "Boundary F1" in page
    assert figures["details"]["confused"][0]["pixels"] > 0


def test_mistakes_are_drawn_over_their_picture():
    predicted, true = masks()[0]
    row = {"predicted": predicted, "true": true, **agreement(predicted, true, LABELS)}
    strip, *rest = Masks.shown(row, {"image": np.zeros((*true.shape, 1), np.uint8), "picture": "a.png"})
    assert strip.kind == "picture"
    assert [item.name for item in rest] == ["picture", "answer"]
    assert "pixels right" in rest[-1].content


def test_a_row_whose_masks_are_gone_is_told_in_words():
    [item] = Masks.shown({"predicted": "answers/gone.png", "true": None, **rows()[0]}, {})
    assert "pixels right" in item.content

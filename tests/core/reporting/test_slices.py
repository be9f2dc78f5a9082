from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.answers.classes import Classes
from core.answers.numbers import Numbers
from core.data.columns import columns_of
from core.data.examples import Examples, Ragged, Splits
from core.reporting.slices import by_slice, groups_of, worst_slice


def splits(train: Examples, test: Examples) -> Splits:
    return Splits(train, train.take([]), test, "none")


def test_text_is_told_apart_by_its_words_and_a_column_of_few_values_by_them():
    train = Examples({"text": ["a b", "c"], "label": ["x", "y"], "source": ["web", "web"]})
    test = Examples(
        {"text": ["a b c", "d", "e f"], "label": ["x", "x", "y"], "source": ["web", "web", "mail"]}
    )
    columns = columns_of(splits(train, test), ("text",), "label")
    assert columns["words in text"].tolist() == [3, 1, 2]
    assert columns["source"].tolist() == ["web", "web", "mail"]
    assert set(columns) == {"words in text", "source"}


def test_ids_are_told_apart_by_how_often_training_saw_them():
    train = Examples({"user": ["u", "u", "u", "v", "v", "v", "v"]})
    test = Examples({"user": ["v", "u", "w"]})
    columns = columns_of(splits(train, test), ("user",), None)
    assert columns["training examples of the user"].tolist() == [4, 3, 0]


def test_waves_are_told_apart_by_length_and_pictures_by_brightness():
    pictures = np.stack([np.full((2, 2, 1), 10, np.uint8), np.full((2, 2, 1), 30, np.uint8)])
    test = Examples({"wave": Ragged.from_rows([[1, 2], [3]]), "image": pictures})
    columns = columns_of(splits(test, test), ("wave",), None)
    assert columns["length of wave"].tolist() == [2, 1]
    assert columns["brightness of image"].tolist() == [10, 30]


def test_seconds_since_1970_become_days():
    test = Examples({"time": np.array([0, 86_400 * 3]) + 1_000_000_000})
    assert columns_of(splits(test, test), (), None)["time"].astype(str).tolist() == [
        "2001-09-09",
        "2001-09-12",
    ]


def test_the_rarest_of_many_values_are_one_slice():
    column = np.array([f"speaker {place}" for place in range(30) for _ in range(place + 1)])
    groups, names = groups_of(column)
    assert len(names) == 12
    assert names[-1] == "others"
    assert (groups == 11).sum() == sum(range(1, 20))


def test_a_numbers_that_is_missing_has_a_place():
    groups, _ = groups_of(np.array([*range(20), np.nan]))
    assert len(groups) == 21


@pytest.fixture
def answers() -> Classes:
    """200 answers of which those of ann are right 60 times of 100 and those of bob 95 times."""
    right = np.array([True] * 60 + [False] * 40 + [True] * 95 + [False] * 5)
    probabilities = np.where(right[:, None], [0.2, 0.8], [0.8, 0.2])
    return Classes(["a", "b"], np.ones(200, int), probabilities)


def test_a_slice_has_its_figure_and_that_of_the_rest(answers):
    slices = by_slice(answers, {"speaker": np.repeat(["ann", "bob"], 100)})
    ann = slices[0]
    assert (ann["value"], ann["examples"]) == ("ann", 100)
    assert ann["figure"] == pytest.approx(0.6)
    assert ann["rest"] == pytest.approx(0.95)
    assert ann["excess"] == pytest.approx((0.40 - 0.05) * 100 / 200)


def test_p_values_are_fishers_corrected_for_all_slices(answers):
    columns = {"speaker": np.repeat(["ann", "bob"], 100), "parity": np.arange(200) % 2}
    slices = by_slice(answers, columns)
    raw = stats.fisher_exact([[40, 60], [5, 95]]).pvalue
    # Two of four slices are equally unlikely: Benjamini and Hochberg multiply the second by 4 / 2.
    assert slices[0]["p"] == pytest.approx(raw * 4 / 2)
    assert slices[0]["significant"]
    assert not slices[2]["significant"]


def test_the_worst_slice_is_the_worst_of_those_that_differ_for_sure(answers):
    speaker = np.repeat(["ann", "bob"], 100)
    few = np.array(["x"] * 3 + ["y"] * 197)  # all three are right by chance
    slices = by_slice(answers, {"few": few, "speaker": speaker})
    assert worst_slice(slices, lower_is_better=False)["value"] == "ann"


def test_a_few_examples_are_never_the_worst_slice():
    answers = Classes(["a", "b"], np.ones(50, int), np.array([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 47))
    slices = by_slice(answers, {"few": np.array(["x"] * 3 + ["y"] * 47)})
    assert worst_slice(slices, lower_is_better=False) is None


def test_where_small_is_good_the_worst_slice_is_the_largest():
    truth = np.zeros(100)
    predicted = np.concatenate([np.tile([1.0, -1.1], 25), np.tile([3.0, -3.1], 25)])
    slices = by_slice(Numbers(truth, predicted), {"half": np.repeat(["easy", "hard"], 50)})
    assert worst_slice(slices, lower_is_better=True)["value"] == "hard"
    assert slices[1]["figure"] == pytest.approx(((9 + 9.61) / 2) ** 0.5)


def test_a_column_of_one_value_tells_nothing_apart(answers):
    assert by_slice(answers, {"speaker": np.repeat("ann", 200)}) == []

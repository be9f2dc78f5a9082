from __future__ import annotations

import numpy as np
import pytest

from core.data.examples import Examples, Ragged
from core.data.splitting import completed, fold_splits, pooled, require_parts
from core.errors import UserError

TEXTS = Examples(
    {
        "text": [f"text {row % 400}" for row in range(500)],
        "label": [str(row % 4 == 0) for row in range(500)],
        "speaker": [f"s{row % 10}" for row in range(500)],
        "time": np.random.default_rng(0).permutation(500),
    }
)


def parts_of(splits):
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


def divided(**options):
    return completed({"train": TEXTS}, ("text",), **{"validation": 0.1, "test": 0.2, **options})


def test_equal_examples_fall_into_the_same_part():
    texts = [set(part["text"].tolist()) for part in parts_of(divided()).values()]
    assert sum(map(len, texts)) == len(set.union(*texts))


def test_shares_are_about_what_was_asked_for():
    sizes = [len(part) / 500 for part in parts_of(divided()).values()]
    assert sizes == pytest.approx([0.7, 0.1, 0.2], abs=0.06)


def test_where_an_example_goes_does_not_depend_on_the_others():
    few = completed({"train": TEXTS.take(np.arange(100))}, ("text",), validation=0.1, test=0.2)
    assert set(few.test["text"].tolist()) <= set(divided().test["text"].tolist())


def test_another_seed_divides_otherwise():
    assert set(divided(seed=1).test["text"].tolist()) != set(divided().test["text"].tolist())
    assert divided(seed=1).protocol != divided().protocol


def test_no_group_stands_in_two_parts():
    speakers = [set(part["speaker"].tolist()) for part in parts_of(divided(group="speaker")).values()]
    assert sum(map(len, speakers)) == 10
    assert all(speakers)


def test_by_time_the_latest_are_the_test_part_and_those_before_them_validation():
    parts = parts_of(divided(time="time"))
    assert parts["train"]["time"].max() < parts["validation"]["time"].min()
    assert parts["validation"]["time"].max() < parts["test"]["time"].min()


def test_times_that_are_texts_of_numbers_go_by_number():
    rows = Examples({"text": list("abcd"), "time": ["9", "10", "100", "2"]})
    splits = completed({"train": rows}, ("text",), validation=0.0, test=0.25, time="time")
    assert splits.test["time"].tolist() == ["100"]


def test_dates_go_by_the_calendar():
    rows = Examples({"text": list("abc"), "time": ["2021-01-01", "2020-12-31", "2019-06-01"]})
    splits = completed({"train": rows}, ("text",), validation=0.0, test=0.34, time="time")
    assert splits.test["time"].tolist() == ["2021-01-01"]


def test_a_time_that_is_no_number_is_refused():
    rows = Examples({"text": list("abc"), "time": np.array([1.0, np.nan, 3.0])})
    with pytest.raises(UserError, match="no time"):
        completed({"train": rows}, ("text",), validation=0.0, test=0.34, time="time")


def test_parts_that_the_source_names_stay_as_they_are():
    test = TEXTS.take([0, 1])
    splits = completed({"train": TEXTS, "test": test}, ("text",), validation=0.1, test=0.2)
    assert splits.test is test
    assert splits.official_test
    assert "test part as published" in splits.protocol


def test_too_few_examples_to_split_can_t_be_trained_on_but_judged():
    splits = completed({"train": TEXTS.take([0])}, ("text",), validation=0.1, test=0.2)
    with pytest.raises(UserError, match="Received: 1 examples"):
        require_parts(splits)
    assert pooled(splits)["text"].tolist() == TEXTS["text"][:1].tolist()


@pytest.mark.parametrize(
    ("different", "reason"), [(1, "all are equal in text"), (2, "only 2 differ in text")]
)
def test_a_part_that_is_empty_since_nearly_all_examples_are_equal_says_so(different, reason):
    texts = [f"text {row % different}" for row in range(120)]
    splits = completed({"train": Examples({"text": texts})}, ("text",), validation=0.1, test=0.2, seed=0)
    with pytest.raises(UserError, match=f"empty: of 120 examples {reason}"):
        require_parts(splits)


def test_no_example_at_all_can_t_be_judged_on():
    splits = completed({"train": TEXTS.take([])}, ("text",), validation=0.1, test=0.2)
    with pytest.raises(UserError, match="nothing to judge on"):
        pooled(splits)


def test_every_example_is_held_out_once():
    held = [part.test["time"] for part in fold_splits(TEXTS, 5, key=("text",), stratify="label")]
    assert sorted(np.concatenate(held).tolist()) == list(range(500))


@pytest.mark.parametrize("stratify", [None, "label"])
def test_equal_examples_stand_on_one_side_of_every_fold(stratify):
    for part in fold_splits(TEXTS, 5, key=("text",), stratify=stratify):
        seen = {*part.train["text"].tolist(), *part.validation["text"].tolist()}
        assert not seen & set(part.test["text"].tolist())


def test_stratified_folds_have_the_classes_of_the_whole():
    for part in fold_splits(TEXTS.take(np.arange(400)), 5, key=("text",), stratify="label"):
        assert np.mean(part.test["label"] == "True") == pytest.approx(0.25, abs=0.01)


def test_grouped_folds_share_no_group_and_say_so():
    for part in fold_splits(TEXTS, 10, key=("text",), stratify="label", group="speaker"):
        seen = {*part.train["speaker"].tolist(), *part.validation["speaker"].tolist()}
        assert not seen & set(part.test["speaker"].tolist())
        assert "one speaker held out" in part.protocol


def test_folds_by_time_are_judged_on_what_comes_later():
    for part in fold_splits(TEXTS, 3, key=("text",), time="time"):
        assert part.train["time"].max() < part.validation["time"].min()
        assert part.validation["time"].max() < part.test["time"].min()


def test_folds_by_a_column_that_does_not_exist_are_refused():
    with pytest.raises(UserError, match="no column 'voice'"):
        next(iter(fold_splits(TEXTS, 3, key=("text",), group="voice")))


def test_more_folds_than_members_of_a_class_are_refused():
    few = Examples({"text": ["a", "b", "c"], "label": ["x", "y", "y"]})
    with pytest.raises(UserError, match="can't be divided into 3 folds"):
        next(iter(fold_splits(few, 3, key=("text",), stratify="label")))


def test_whether_a_rating_is_held_out_does_not_hang_on_its_item():
    pairs = Examples(
        {"user": [str(row // 40) for row in range(4000)], "item": [str(row % 40) for row in range(4000)]}
    )
    held = completed({"train": pairs}, ("user", "item"), validation=0.0, test=0.2).test
    _, counts = np.unique(held["item"], return_counts=True)
    assert len(counts) == 40
    assert counts.std() < 8


def test_a_time_that_is_no_number_among_numbers_is_refused():
    examples = Examples({"text": ["a", "b", "c"], "time": ["9", "10", "never"]})
    with pytest.raises(UserError, match=r"no time.*Received: never"):
        completed({"train": examples}, ("text",), validation=0, test=0.4, time="time")


def test_a_split_by_group_and_by_time_at_once_is_refused():
    examples = Examples({"text": ["a", "b"], "time": ["1", "2"], "who": ["x", "y"]})
    with pytest.raises(UserError, match="leave one of them out"):
        completed({"train": examples}, ("text",), validation=0, test=0.4, group="who", time="time")


def test_a_column_of_pictures_is_refused_as_a_group():
    examples = Examples({"image": np.zeros((4, 2, 2), np.uint8)})
    with pytest.raises(UserError, match="no single values"):
        completed({"train": examples}, ("image",), validation=0, test=0.4, group="image")


def test_folds_by_a_column_of_many_values_a_row_are_refused():
    waves = Examples({"wave": Ragged.from_rows([[1, 2], [3]] * 5, np.int16), "text": [*"abcdefghij"]})
    with pytest.raises(UserError, match="no single values"):
        next(fold_splits(waves, 2, key=("text",), time="wave"))

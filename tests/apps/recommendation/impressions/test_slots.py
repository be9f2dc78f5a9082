import numpy as np
import pytest

from apps.recommendation.impressions.columns import Learning, learnt_columns, learnt_pairs
from apps.recommendation.impressions.row import OpenColumn, OpenRow
from apps.recommendation.impressions.slots import BETWEEN, Field, Pair, columns_of, features_of, fields_of
from core.data.examples import Examples
from core.errors import UserError


def learnt(column, **how):
    (only,), left_out = learnt_columns(Examples({"column": column}), ["column"], Learning(**how))
    assert not left_out
    return Field(only.model_dump(), first=1)


def test_rare_values_share_the_id_of_unknown_ones_and_missing_ones_have_their_own():
    field = learnt(["a", "a", "b", ""], min_count=2)
    (known,), (rare,), (unknown,), (missing,) = field.ids(["a", "b", "c", ""]).tolist()
    assert rare == unknown
    assert len({known, rare, missing}) == 3


def test_hashed_values_need_no_vocabulary_and_always_fall_into_the_same_bucket():
    field = learnt(["a", "b", "c", "d"], buckets=3, min_count=1)
    ids = field.ids(["a", "new", "a", ""]).ravel()
    assert ids[0] == ids[2]
    assert ids.max() < 1 + field.size
    assert field.vocabulary == []


def test_bins_of_numbers_hold_about_as_many_rows_each():
    field = learnt(np.exp(np.linspace(0, 5, 1000)), bins=10)
    _, counts = np.unique(field.ids(np.exp(np.linspace(0, 5, 1000))), return_counts=True)
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 2


def test_missing_numbers_have_an_id_of_their_own_and_are_nan_as_amounts():
    field = learnt(np.array([1.0, 2.0, 3.0, np.nan]))
    assert field.ids(np.array([np.nan]))[0, 0] not in field.ids(np.array([0.0, 1.0, 2.0, 9.0]))
    assert np.isnan(field.standardised(np.array([np.nan])))[0]


def test_values_of_a_column_of_several_have_a_slot_each_and_padding_behind():
    field = learnt(["a|b", "a", "b|a", ""], min_count=1)
    ids = field.ids(["b", "a|b", "a|b|c", ""])
    assert ids.shape == (4, 2)
    assert ids[0, 1] == 0
    assert set(ids[1]) == {ids[0, 0], ids[2, 0]}


def test_a_pair_of_training_does_not_count_its_own_row():
    pair = Pair({"name": "pair", "of": ["a", "b"], "counts": {f"x{BETWEEN}y": 1}}, first=10)
    never, once = pair.ids(["x"], ["z"]), pair.ids(["x"], ["y"])
    assert never != once
    assert pair.ids(["x"], ["y"], own=True) == never


def test_auto_takes_a_pair_of_large_columns_whose_values_come_together_again():
    random = np.random.default_rng(0)
    users = random.integers(0, 200, 2000)
    train = Examples({"user": users.astype(str), "item": (users * 7 % 200).astype(str)})
    columns, _ = learnt_columns(train, ["user", "item"], Learning())
    (pair,) = learnt_pairs(train, columns, "auto")
    assert pair.of == ("user", "item")
    apart = train.with_columns(item=np.arange(2000).astype(str))
    columns, _ = learnt_columns(apart, ["user", "item"], Learning(min_count=1))
    assert learnt_pairs(apart, columns, "auto") == []


def test_a_pair_of_a_column_that_is_none_of_categories_is_refused():
    train = Examples({"a": ["x", "x"], "b": np.array([1.0, 2.0])})
    columns, _ = learnt_columns(train, ["a", "b"], Learning())
    with pytest.raises(UserError, match="'b'"):
        learnt_pairs(train, columns, [("a", "b")])


def test_columns_that_say_nothing_are_left_out_with_the_reason():
    train = Examples({"id": ["a", "b"], "same": np.ones(2), "empty": ["", ""], "good": ["x", "x"]})
    columns, left_out = learnt_columns(train, ["id", "same", "empty", "good"], Learning())
    assert [column.name for column in columns] == ["good"]
    assert list(left_out) == ["id", "same", "empty"]


def test_a_row_by_itself_has_the_ids_that_it_has_among_others():
    train = Examples({"a": ["x", "y", "x", "y"], "b": np.array([1.0, 2.0, 3.0, np.nan])})
    columns, _ = learnt_columns(train, ["a", "b"], Learning())
    fields = fields_of([column.model_dump() for column in columns])
    whole = features_of(fields, [], train.columns)
    for row in range(4):
        alone = columns_of([{"a": str(train["a"][row]), "b": [1.0, 2.0, 3.0, None][row]}])
        one = features_of(fields, [], alone)
        assert one["ids"].tolist() == whole["ids"][row : row + 1].tolist()
        np.testing.assert_array_equal(one["numbers"], whole["numbers"][row : row + 1])


ROW = OpenRow(
    (
        OpenColumn(name="device", kind="choice", choices=["desk", "phone"]),
        OpenColumn(name="price", kind="number"),
    ),
    ("click",),
)


def test_a_row_may_name_a_category_that_training_never_saw_in_any_way_json_has():
    assert ROW.record({"device": "watch", "price": "1.5"}, "") == {"device": "watch", "price": 1.5}
    assert ROW.record({"device": 7, "price": None}, "") == {"device": "7", "price": None}
    assert ROW.record({"device": ["a", "b"], "price": ""}, "") == {"device": "a|b", "price": None}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"device": "phone"}, "lacks a column that training had: give price"),
        ({"device": "phone", "price": 1, "colour": "red"}, "Received: colour"),
        ({"device": "phone", "price": "dear"}, "price"),
    ],
)
def test_a_row_of_other_columns_is_refused_in_one_line(row, said):
    with pytest.raises(UserError, match=said) as refusal:
        ROW.record(row, "")
    assert "\n" not in str(refusal.value)


def test_the_column_of_clicks_may_stand_in_a_row():
    assert ROW.record({"device": "phone", "price": 1, "click": 0}, "") == {"device": "phone", "price": 1.0}

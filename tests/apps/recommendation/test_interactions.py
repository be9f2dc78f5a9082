import numpy as np
import pytest

from apps.recommendation.interactions import Interactions, grouped, last_held_out, numbered, padded_blocks
from core.data.examples import Examples
from core.errors import UserError


def test_an_id_that_training_never_saw_is_number_zero():
    assert numbered(np.array(["7", "10", "x"], np.dtypes.StringDType()), ["10", "7"]).tolist() == [2, 1, 0]


def test_every_place_stands_once_in_the_blocks_whatever_their_size():
    rows = np.random.default_rng(0).integers(0, 20, 300)
    groups = grouped(rows, 25)
    for num_values in (1, 16, 10_000):
        found = {}
        for block in padded_blocks(groups, num_values):
            for row, places, mask in zip(block.rows, block.places, block.mask, strict=False):
                found[int(row)] = places[mask > 0].tolist()
        assert found == {row: np.flatnonzero(rows == row).tolist() for row in range(20)}


def test_blocks_hold_no_more_than_asked_for_where_rows_are_short():
    groups = grouped(np.random.default_rng(0).integers(0, 50, 300), 50)
    assert all(block.places.size <= 64 for block in padded_blocks(groups, 64))


def test_items_of_a_user_are_in_the_order_of_time():
    data = Interactions(
        np.array([1, 2, 1, 1]), np.array([5, 6, 7, 8]), np.ones(4, np.float32), num_users=3, num_items=9
    )
    items = data.items_by_user(time=np.array([30, 0, 10, 20]))
    assert [items[user].tolist() for user in range(3)] == [[], [7, 8, 5], [6]]


def test_a_pair_that_stands_twice_counts_once_in_the_matrix():
    data = Interactions(np.array([1, 1]), np.array([2, 2]), np.ones(2, np.float32), num_users=2, num_items=3)
    assert data.matrix().toarray().tolist() == [[0, 0, 0], [0, 0, 1]]


def test_the_last_rating_is_tested_and_the_one_before_validated():
    ratings = Examples(
        {"user": list("aababa"), "item": list("123456"), "rating": np.ones(6), "time": [4, 3, 9, 2, 8, 1]}
    )
    splits = last_held_out(ratings)
    assert splits.test["item"].tolist() == ["1"]
    assert splits.validation["item"].tolist() == ["2"]
    assert sorted(splits.train["item"].tolist()) == ["3", "4", "5", "6"]


def test_holding_the_last_out_is_refused_where_everybody_has_two_ratings():
    ratings = Examples({"user": list("aabb"), "item": list("1212"), "rating": np.ones(4), "time": range(4)})
    with pytest.raises(UserError, match="at most 2"):
        last_held_out(ratings)

import numpy as np
import pytest

from apps.recommendation.catalogue.interactions import Interactions, last_held_out, numbered, row_blocks
from core.data.examples import Examples
from core.errors import UserError


def test_an_id_that_training_never_saw_is_number_zero():
    assert numbered(np.array(["7", "10", "x"], np.dtypes.StringDType()), ["10", "7"]).tolist() == [2, 1, 0]


LENGTHS = np.random.default_rng(0).zipf(1.6, 200).clip(max=60) - 1


@pytest.mark.parametrize("num_values", [1, 16, 10_000])
def test_every_row_that_is_not_empty_stands_once_in_the_blocks(num_values):
    rows = np.concatenate(list(row_blocks(LENGTHS, num_values)))
    assert sorted(rows.tolist()) == np.flatnonzero(LENGTHS).tolist()


def test_blocks_hold_no_more_than_asked_for_but_for_a_row_that_is_longer():
    for block in row_blocks(LENGTHS, 32):
        assert len(block) * LENGTHS[block].max() <= 32 or len(block) == 1


def test_at_most_a_quarter_of_a_block_is_padding():
    for block in row_blocks(LENGTHS, 10_000):
        assert LENGTHS[block].min() >= 0.75 * LENGTHS[block].max()


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

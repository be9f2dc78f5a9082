"""What recommendations are like, by hand and in a run."""

import numpy as np
import pytest

from apps.recommendation.catalogue.beyond_accuracy import beyond_accuracy
from apps.recommendation.rankings import Rankings
from core.data.examples import Examples, Splits
from core.errors import UserError


def test_what_all_choose_and_nothing_else_is_neither_new_nor_wide_and_too_popular():
    figures = beyond_accuracy(np.array([6, 0, 0]), np.array([8, 1, 1]), num_users=8)
    assert figures == {
        "coverage@10": pytest.approx(1 / 3),
        "novelty@10": 0.0,
        "popularity@10": pytest.approx(8 / (66 / 10)),
    }


def test_what_is_recommended_as_often_as_it_is_chosen_has_a_popularity_of_one():
    chosen = np.array([5, 2, 1])
    assert beyond_accuracy(3 * chosen, chosen, num_users=8)["popularity@10"] == pytest.approx(1.0)


def test_nothing_recommended_has_no_figures():
    assert beyond_accuracy(np.zeros(2, np.int64), np.array([1, 1]), num_users=2) == {}


def choices(users: str, items: str) -> Examples:
    return Examples({"user": list(users), "item": list(items), "rating": np.ones(len(users), np.float32)})


def test_users_whom_training_never_saw_are_counted_in_a_note():
    train = choices("aaabbb", "123124")
    task = Rankings(method="ease")
    splits = Splits(train, train.take([]), choices("az", "41"), protocol="")
    (note,) = task.left_out(splits, task.encode(train))
    assert note.startswith("1 of 2 users of the test part were never seen in training")


def test_a_test_part_of_strangers_alone_is_refused_and_sent_to_sequences():
    train = choices("aaabbb", "123124")
    task = Rankings(method="ease")
    splits = Splits(train, train.take([]), choices("yz", "41"), protocol="")
    with pytest.raises(UserError, match=r"recommendation/sequences with\s+task.leave_last_out=false"):
        task.left_out(splits, task.encode(train))

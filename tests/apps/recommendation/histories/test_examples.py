"""What is a history and what is to be found after it, by each protocol."""

import numpy as np
import pytest

from apps.recommendation.histories.encoder import HistoryEncoder, windows
from apps.recommendation.histories.examples import (
    as_published,
    by_person,
    ids_of,
    last_out,
    notes_of_test,
    require_apart,
)
from core.data.examples import Examples, Ragged
from core.errors import UserError


def events(*choices: tuple[str, str, int], column: str = "time") -> Examples:
    users, items, times = zip(*choices, strict=True)
    return Examples({"user": list(users), "item": list(items), column: np.array(times)})


def told(examples: Examples) -> list[tuple[str, list[str], list[str]]]:
    columns = (examples[name].tolist() for name in ("user", "history", "next"))
    return [(user, ids_of(before), ids_of(after)) for user, before, after in zip(*columns, strict=True)]


CHOICES = events(
    ("a", "x", 4), ("b", "q", 1), ("a", "w", 1), ("a", "z", 9), ("a", "v", 2), ("b", "r", 2), ("a", "y", 5)
)


def test_the_last_choice_is_the_test_and_the_one_before_it_validation_and_then_history():
    splits = last_out(CHOICES)
    assert told(splits.train) == [("a", ["w", "v"], ["x"]), ("b", ["q"], ["r"])]
    assert told(splits.validation) == [("a", ["w", "v", "x"], ["y"])]
    assert told(splits.test) == [("a", ["w", "v", "x", "y"], ["z"])]


def test_the_order_of_lists_is_that_of_events():
    splits = last_out(events(("a", "x", 0), ("a", "y", 1), ("a", "z", 2), column="order"))
    assert told(splits.test) == [("a", ["x", "y"], ["z"])]


def test_choices_without_any_order_are_refused_by_the_setting_that_helps():
    with pytest.raises(UserError, match=r"task\.ordered=true"):
        last_out(Examples({"user": ["a"], "item": ["x"]}))


def test_people_with_too_few_choices_can_t_be_judged():
    with pytest.raises(UserError, match=r"three choices\. Received: at most 2"):
        last_out(events(("a", "x", 1), ("a", "y", 2)))


def test_a_person_is_one_row_with_the_time_of_the_last_choice():
    rows = by_person(CHOICES)
    assert told(rows) == [("a", ["w", "v", "x", "y"], ["z"]), ("b", ["q"], ["r"])]
    assert rows["time"].tolist() == [9, 2]


def test_published_parts_are_judged_after_what_earlier_parts_hold():
    parts = {
        "train": events(("a", "x", 1), ("a", "y", 2)),
        "test": events(("a", "z", 3), ("a", "w", 4), ("new", "x", 1), ("new", "y", 2), ("one", "x", 1)),
    }
    assert told(as_published(parts)["test"]) == [("a", ["x", "y"], ["z", "w"]), ("new", ["x"], ["y"])]


def test_parts_that_share_a_history_are_refused_where_training_knows_more_of_it():
    splits = last_out(CHOICES)
    require_apart(splits.train, splits.test)
    with pytest.raises(UserError, match="user a is to be judged on"):
        require_apart(splits.test, splits.validation)


def test_what_no_ranking_can_find_is_said():
    test = Examples({"user": ["a", "b"], "history": ["x\ty", "x"], "next": ["x", "new"]})
    new, again = notes_of_test(test, {"x", "y"}, masked=True)
    assert new == "1 test example of 2 ask for an item that training never saw"
    assert "1 test example of 2" in again
    assert "mask_seen=false" in again
    assert len(notes_of_test(test, {"x", "y"}, masked=False)) == 1


def test_a_tab_in_an_id_is_refused():
    with pytest.raises(UserError, match="no tab"):
        last_out(events(("a", "x\ty", 1), ("a", "y", 2), ("a", "z", 3)))


ENCODER = HistoryEncoder(items=["x", "y"], item_counts=[2, 1], titles={}, people=1)


def test_unknown_items_leave_a_history_and_stay_among_what_should_be_found():
    rows = Examples({"user": ["a", "b"], "history": ["new\ty", "new"], "next": ["new", "x"]})
    histories = ENCODER.histories(rows)
    assert [histories.before[row].tolist() for row in range(2)] == [[2], []]
    assert histories.after.values.tolist() == [0, 1]
    assert [histories.whole()[row].tolist() for row in range(2)] == [[2], [1]]


def test_every_pair_of_neighbours_stands_in_one_piece_and_only_one():
    rows = Ragged.from_rows([np.arange(1, 12), [20, 21], [30]], np.int32)
    pieces = windows(rows, length=4)
    pairs = sorted(
        pair for row in range(len(pieces)) for pair in zip(pieces[row][:-1], pieces[row][1:], strict=True)
    )
    assert pairs == [*((item, item + 1) for item in range(1, 11)), (20, 21)]
    assert pieces.lengths.max() == 4

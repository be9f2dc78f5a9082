"""Parts as people publish them, and choices without times, as the two tasks take them."""

import numpy as np
import pytest

from apps.recommendation.rankings import Rankings
from apps.recommendation.ratings import Ratings
from core.errors import UserError
from tests.small_data import written

LISTS = "1 a b c d e\n2 d c b a\n3 b c\n"


def rows(examples) -> set[tuple[str, str]]:
    return set(zip(examples["user"].tolist(), examples["item"].tolist(), strict=True))


def test_the_last_of_a_list_is_held_out(tmp_path):
    splits = Rankings(data=str(written(tmp_path / "a.txt", LISTS)), leave_last_out=True).load()
    assert rows(splits.test) == {("1", "e"), ("2", "a")}
    assert rows(splits.validation) == {("1", "d"), ("2", "b")}


@pytest.mark.parametrize("task", [Ratings, Rankings])
def test_base_and_test_are_kept_as_they_are_whatever_is_to_be_held_out(tmp_path, task):
    lines = "".join(f"{user}\t{item}\t3\t{user + item}\n" for user in range(9) for item in range(9))
    base = written(tmp_path / "u1.base", lines)
    written(tmp_path / "u1.test", "1\t70\t4\t5\n2\t71\t5\t6\n")
    splits = task(data=str(base), leave_last_out=True).load()
    assert rows(splits.test) == {("1", "70"), ("2", "71")}
    assert len(splits.validation)
    assert len(splits.train) + len(splits.validation) == 81
    assert "test part as published" in splits.protocol
    assert any("leave_last_out is passed over" in note for note in splits.notes)


def test_parts_are_named_one_by_one(tmp_path):
    train, validation, test = (
        written(tmp_path / f"{name}.txt", f"1 {item}\n2 {item}\n")
        for name, item in (("a", "x"), ("b", "y"), ("c", "z"))
    )
    splits = Rankings(data=str(train), validation_data=str(validation), test_data=str(test)).load()
    parts = (splits.train, splits.validation, splits.test)
    assert [set(part["item"].tolist()) for part in parts] == [{"x"}, {"y"}, {"z"}]


def test_a_test_file_beside_the_sample_is_refused(tmp_path):
    test = written(tmp_path / "c.txt", "1 z\n")
    with pytest.raises(UserError, match=r"test_data.*data=sample"):
        Rankings(test_data=str(test)).load()


def test_choices_without_times_are_split_at_random_and_a_note_says_so(tmp_path):
    random = np.random.default_rng(0)
    lines = "".join(f"{user} {item}\n" for user in range(30) for item in random.choice(40, 9, replace=False))
    splits = Rankings(data=str(written(tmp_path / "a.txt", lines)), leave_last_out=True).load()
    assert 20 < len(splits.test) < 90
    assert any("set task.ordered=true" in note for note in splits.notes)


def test_lines_that_are_in_order_tell_which_choice_is_the_last(tmp_path):
    path = written(tmp_path / "a.txt", "1 x\n2 y\n1 b\n2 a\n1 c\n2 z\n")
    splits = Rankings(data=str(path), leave_last_out=True, ordered=True).load()
    assert rows(splits.test) == {("1", "c"), ("2", "z")}


def test_lists_without_ratings_are_refused_where_ratings_are_predicted(tmp_path):
    with pytest.raises(UserError):
        Ratings(data=str(written(tmp_path / "a.txt", LISTS))).load()


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"split_time": "time"}, r"task\.ordered=true and task\.split_time=order"),
        ({"split_time": "time", "ordered": True}, r"Set task\.split_time=order"),
    ],
)
def test_a_division_by_times_that_are_lacking_says_what_to_set(tmp_path, settings, advice):
    source = written(tmp_path / "a.txt", "".join(f"{user} {item}\n" for user in "abc" for item in "xyz"))
    with pytest.raises(UserError, match=advice):
        Rankings(data=str(source), **settings).load()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_titles_are_read_from_any_table_that_is_named(tmp_path, separator):
    source = written(tmp_path / "a.txt", "".join(f"{user} {item}\n" for user in "abc" for item in "xyz"))
    lines = (("price", "item_id", "name"), ("3", "x", "Ex"), ("4", "y", "Why"))
    table = written(tmp_path / "things.txt", "".join(separator.join(line) + "\n" for line in lines))
    task = Rankings(method="ease", data=str(source), titles_data=str(table))
    assert task.encode(task.load().train).titles == {"x": "Ex", "y": "Why"}


def test_a_table_of_titles_without_any_is_refused(tmp_path):
    source = written(tmp_path / "a.txt", "".join(f"{user} {item}\n" for user in "abc" for item in "xyz"))
    table = written(tmp_path / "things.csv", "price,colour\n3,red\n")
    task = Rankings(method="ease", data=str(source), titles_data=str(table))
    with pytest.raises(UserError, match=r"things\.csv can't be read as titles.*Received the columns: price"):
        task.encode(task.load().train)

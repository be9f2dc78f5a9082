from __future__ import annotations

import gzip

import pytest

from core.data.choices import read_choices, whole_or_parts
from core.errors import UserError
from tests.small_data import written

LISTS = "7 a b c d e\n8 c\n9 b a\n"


def pairs(examples) -> list[tuple[str, str]]:
    return list(zip(examples["user"].tolist(), examples["item"].tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", LISTS),
        ("a.txt.gz", gzip.compress(LISTS.encode(), mtime=0)),
        ("a.tsv", LISTS.replace(" ", "\t")),
        ("a.csv", LISTS.replace(" ", ",").replace("c\n", "c,,,\n")),
    ],
)
def test_lists_of_items_are_choices_in_their_order(tmp_path, name, content):
    examples, notes = read_choices(written(tmp_path / name, content))
    expected = [("7", item) for item in "abcde"] + [("8", "c"), ("9", "b"), ("9", "a")]
    assert pairs(examples) == expected
    assert examples["order"].tolist() == list(range(8))
    assert examples["rating"].tolist() == [1.0] * 8
    assert notes == ()


def test_users_without_any_item_are_counted(tmp_path):
    examples, notes = read_choices(written(tmp_path / "a.txt", "1 2 3 4 5 6\n2\n3 4 5 6\n4\n"))
    assert set(examples["user"].tolist()) == {"1", "3"}
    assert notes == ("2 users of a.txt without any item",)


@pytest.mark.parametrize(
    "content", ["user,item\n1,10\n2,20\n", "1 10\n2 20\n", "1\t10\n2\t20\n", "userId,movieId\n1,10\n2,20\n"]
)
def test_pairs_of_a_user_and_an_item_are_choices(tmp_path, content):
    examples, _ = read_choices(written(tmp_path / "a.csv", content))
    assert pairs(examples) == [("1", "10"), ("2", "20")]
    assert examples["rating"].tolist() == [1.0, 1.0]
    assert "order" not in examples


def test_pairs_with_times_have_their_times(tmp_path):
    examples, _ = read_choices(written(tmp_path / "a.csv", "user,item,timestamp\n1,10,5\n2,20,6\n"))
    assert examples["time"].tolist() == [5, 6]


def test_pairs_in_json_lines_are_choices(tmp_path):
    examples, _ = read_choices(written(tmp_path / "a.jsonl", '{"user": "1", "item": "10"}\n'))
    assert pairs(examples) == [("1", "10")]


def test_ratings_are_read_as_such_with_a_bad_line_among_them_refused(tmp_path):
    lines = [f"{row} {row % 7} 3" for row in range(40)]
    assert read_choices(written(tmp_path / "a.txt", "\n".join(lines)))[0]["rating"].tolist() == [3.0] * 40
    with pytest.raises(UserError, match="line 41"):
        read_choices(written(tmp_path / "b.txt", "\n".join([*lines, "1 2 3 4 5 6"])))


def test_names_of_columns_that_are_not_known_are_no_choice(tmp_path):
    with pytest.raises(UserError, match="no column of users"):
        read_choices(written(tmp_path / "a.csv", "person,film\n1,10\n2,20\n"))


def test_a_table_of_one_column_is_refused(tmp_path):
    with pytest.raises(UserError):
        read_choices(written(tmp_path / "a.txt", "1\n2\n3\n"))


@pytest.mark.parametrize(
    "names",
    [
        {"train": "u1.base", "test": "u1.test"},
        {"train": "train.txt", "test": "test.txt"},
        {"train": "films.train.inter", "validation": "films.valid.inter", "test": "films.test.inter"},
        {"train": "train.csv.gz", "validation": "val.csv.gz", "test": "test.csv.gz"},
    ],
)
def test_files_that_are_named_after_parts_are_found_by_their_folder_and_by_the_first(tmp_path, names):
    expected = {part: written(tmp_path / name, "1,2,3\n") for part, name in names.items()}
    written(tmp_path / "README.txt", "")
    assert whole_or_parts(tmp_path) == expected
    assert whole_or_parts(expected["train"]) == expected


def test_a_test_part_that_is_asked_for_is_read_alone(tmp_path):
    written(tmp_path / "u1.base", "")
    alone = written(tmp_path / "u1.test", "")
    assert whole_or_parts(alone) == {"train": alone}


def test_a_folder_with_the_whole_beside_its_parts_is_whole(tmp_path):
    for name in ("u.data", "u1.base", "u1.test"):
        written(tmp_path / name, "")
    assert whole_or_parts(tmp_path) == {"train": tmp_path}


def test_a_folder_of_several_divisions_is_refused_and_one_of_them_is_read_by_name(tmp_path):
    for fold in (1, 2):
        for part in ("base", "test"):
            written(tmp_path / f"u{fold}.{part}", "")
    with pytest.raises(UserError, match=r"Received: u1\.base, u2\.base"):
        whole_or_parts(tmp_path)
    assert whole_or_parts(tmp_path / "u2.base")["test"].name == "u2.test"


def test_two_files_for_one_part_are_refused(tmp_path):
    for name in ("train.csv", "valid.csv", "val.csv", "test.csv"):
        written(tmp_path / name, "")
    with pytest.raises(UserError, match=r"two files for one part.*val\.csv, valid\.csv"):
        whole_or_parts(tmp_path)

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest

from core.data.tables import existing, part_paths, read_table
from core.errors import UserError
from tests.small_data import written

NAMED = {"text": "text", "label": "label"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,label\n"a, ""b""",1\nc,0\n'),
        ("a.tsv", 'text\tlabel\na, "b"\t1\nc\t0\n'),
        ("a.jsonl", '{"text": "a, \\"b\\"", "label": 1}\n{"text": "c", "label": 0}\n'),
    ],
)
def test_named_columns_are_read_from_every_format(tmp_path, name, content):
    examples, notes = read_table(written(tmp_path / name, content), NAMED)
    assert examples["text"].tolist() == ['a, "b"', "c"]
    assert examples["label"].tolist() == ["1", "0"]
    assert notes == ()


def test_a_packed_table_is_read_like_a_plain_one(tmp_path):
    path = written(tmp_path / "a.tsv.gz", gzip.compress(b"text\tlabel\na\t1\n", mtime=0))
    assert read_table(path, NAMED)[0]["text"].tolist() == ["a"]


def test_columns_of_a_file_without_header_are_given_by_position(tmp_path):
    path = written(tmp_path / "a.tsv", "a\t1\nb\t0\n")
    assert read_table(path, {"text": "0", "label": "1"})[0]["label"].tolist() == ["1", "0"]


def test_other_columns_are_kept_for_groups_and_slices(tmp_path):
    path = written(tmp_path / "a.csv", "text,label,author\na,1,x\n")
    assert read_table(path, NAMED)[0]["author"].tolist() == ["x"]


def test_a_column_may_take_the_name_of_another(tmp_path):
    path = written(tmp_path / "a.csv", "sentence,text,label\na,shadowed,1\n")
    examples, _ = read_table(path, {"text": "sentence", "label": "label"})
    assert examples["text"].tolist() == ["a"]


def test_words_that_pandas_takes_for_missing_are_text(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\nNA,null\nNone,nan\n")
    assert read_table(path, NAMED)[0]["text"].tolist() == ["NA", "None"]


def test_an_open_quote_in_a_tab_separated_line_swallows_nothing(tmp_path):
    path = written(tmp_path / "a.tsv", 'text\tlabel\n"open\t1\nnext\t0\n')
    assert len(read_table(path, NAMED)[0]) == 2


def test_a_text_of_100000_characters_is_read_whole(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\n" + "x" * 100_000 + ",1\n")
    assert len(read_table(path, NAMED)[0]["text"][0]) == 100_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\na,1\nb\n", "line 3"),
        ("a.csv", "text,label\na,\n", "line 2"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{broken\n', "line 2"),
        ("a.csv", "text,label\n", "no lines of data"),
        ("a.csv", "review,stars\na,1\n", "Received the columns: review, stars"),
        ("a.csv", b"text,label\nh\xe9,1\n", "not text in UTF-8"),
        ("a.csv", os.urandom(4000), "a.csv"),
        ("a.doc", "text", "A table ends in"),
        ("a.csv.gz", b"no gzip", "can't be read"),
        ("a.csv.gz", gzip.compress(b"text,label\na,1\n", mtime=0)[:-6], "can't be read"),
        ("a.csv", 'text,label\nfine,1\n"open,1\nnext,0\n', "line 3"),
        ("a.csv", "text,label,text\na,1,b\n", "several columns of one name"),
        ("a.jsonl", '{"text": "\\ud800", "label": 1}\n{"text": "a", "label": 1}\n', "line 1"),
        ("a.jsonl", "[" * 100_000, "no lines of data"),
    ],
)
def test_a_table_that_is_none_is_refused_by_name(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message) as caught:
        read_table(written(tmp_path / name, content), NAMED)
    assert len(str(caught.value).splitlines()) <= 2


def test_bad_lines_are_left_out_and_counted_on_request(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\na,1\nb\nc,\n")
    examples, notes = read_table(path, NAMED, skip_bad=True)
    assert examples["text"].tolist() == ["a"]
    assert notes == ("2 bad lines of a.csv left out",)


def test_parts_are_found_by_the_names_that_people_use(tmp_path):
    for name in ("train.tsv", "dev.tsv", "test.tsv", "notes.md"):
        written(tmp_path / name, "x")
    assert {part: path.name for part, path in part_paths(tmp_path).items()} == {
        "train": "train.tsv",
        "validation": "dev.tsv",
        "test": "test.tsv",
    }


def test_a_folder_without_a_training_part_is_refused(tmp_path):
    written(tmp_path / "reviews.tsv", "x")
    with pytest.raises(UserError, match=r"no file named train.*Received: reviews.tsv"):
        part_paths(tmp_path)


def test_a_path_with_nothing_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="no data at this path"):
        existing(tmp_path / "nowhere")
    with pytest.raises(UserError, match="file is empty"):
        existing(written(tmp_path / "empty.csv", ""))


def test_columns_hold_no_python_objects(tmp_path):
    examples, _ = read_table(written(tmp_path / "a.csv", "text,label\na,1\n"), NAMED)
    assert examples["text"].dtype == np.dtypes.StringDType()


def test_one_column_as_text_and_label_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nx,y\n")
    with pytest.raises(UserError, match="another one of the file"):
        read_table(tmp_path / "a.csv", {"text": "label", "label": "label"})


def test_a_device_is_no_data():
    with pytest.raises(UserError, match="neither a file nor a folder"):
        existing("/dev/null")


def test_two_files_of_one_part_are_refused(tmp_path):
    for name in ("train.csv", "test.csv", "testing.tsv"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"more than one source of its test part.*test\.csv, testing\.tsv"):
        part_paths(tmp_path)

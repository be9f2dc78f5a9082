"""Inputs from files: tables, JSON lines and lines, each with the line that it stands in."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from core.errors import UserError
from core.inputs import Choice, Column, Number, Row, Several, Text, Turns
from core.inputs.reading import read_inputs

TEXT = Text()
ROW = Row((Column(name="age", kind="number"), Column(name="sex", kind="choice", choices=["f", "m"])))
BOTH = Several({"question": Text(), "seed": Number()})


@pytest.fixture
def read(tmp_path):
    """Return what writes a file, and reads its inputs as pairs of a line and a value."""

    def written(name: str, content: str | bytes, kind=TEXT, input_name: str = "text"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [(line.number, line.value) for line in read_inputs(path, kind, input_name)]

    return written


def test_each_line_is_an_input_and_a_blank_one_too(read):
    assert read("texts.txt", "one\n\nthree") == [(1, "one"), (2, ""), (3, "three")]
    assert read("texts.txt", "one\n\nthree\n") == [(1, "one"), (2, ""), (3, "three")]


@pytest.mark.parametrize("sign", ["\f", "\v", "\x1c", "\x85", "\u2028", "\u2029", "\r"])
@pytest.mark.parametrize("name", ["texts.txt", "texts.csv", "texts.tsv", "texts.jsonl"])
def test_what_ends_a_line_only_for_unicode_may_stand_in_a_text(read, name, sign):
    if sign == "\r" and name != "texts.txt":
        pytest.skip("a bare carriage return has to be quoted in a table, and escaped in JSON")
    first, second = f"one{sign}more", "two"
    if name == "texts.jsonl":
        import json

        first, second = json.dumps(first, ensure_ascii=False), '"two"'
    header = "" if name in ("texts.txt", "texts.jsonl") else "text\n"
    values = read(name, f"{header}{first}\n{second}\n")
    assert [value for _, value in values] == [f"one{sign}more", "two"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", "ä\nb\n"), ("a.csv", "text\nä\nb\n"), ("a.tsv", "text\nä\nb\n"), ("a.jsonl", '"ä"\n"b"\n')],
)
def test_a_byte_order_mark_and_the_line_ends_of_windows_change_nothing(read, name, content):
    plain = read(name, content)
    assert [value for _, value in plain] == ["ä", "b"]
    assert read(name, b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode()) == plain
    assert read(f"{name}.gz", gzip.compress(content.encode())) == plain


def test_a_table_is_read_by_its_header(read):
    assert read("rows.csv", "sex,id,age\nf,1,54\nm,2,?\n", ROW) == [
        (2, {"age": 54.0, "sex": "f"}),
        (3, {"age": None, "sex": "m"}),
    ]
    assert read("both.tsv", 'seed\tquestion\n3\tWho is "it"?\n', BOTH) == [
        (2, {"question": 'Who is "it"?', "seed": 3.0})
    ]


def test_a_row_over_several_lines_counts_from_its_first(read):
    content = 'text,id\n"one\nmore",1\n\ntwo,2\n'
    assert read("texts.csv", content) == [(2, "one\nmore"), (5, "two")]


def test_lines_of_json_are_records_or_values(read):
    assert read("rows.jsonl", '{"age": 54, "sex": "f"}\n\n{"age": null}\n', ROW) == [
        (1, {"age": 54.0, "sex": "f"}),
        (3, {"age": None, "sex": None}),
    ]
    assert read("seeds.ndjson", "3\n4\n", Number(whole=True)) == [(1, 3), (2, 4)]
    assert read("chats.jsonl", '[{"role": "user", "text": "Hi"}]\n"Ho"\n', Turns()) == [
        (1, [{"role": "user", "text": "Hi"}]),
        (2, [{"role": "user", "text": "Ho"}]),
    ]


def test_lines_are_typed_inputs(read):
    assert read("rows.txt", "54,f\nage=3 sex=m\n", ROW) == [
        (1, {"age": 54.0, "sex": "f"}),
        (2, {"age": 3.0, "sex": "m"}),
    ]


@pytest.mark.parametrize("name", ["empty.txt", "empty.csv", "empty.jsonl"])
def test_an_empty_file_has_no_inputs(read, name):
    assert read(name, "") == []


def test_a_table_with_a_header_only_has_no_inputs(read):
    assert read("rows.csv", "age,sex\n", ROW) == []


def test_standard_input_is_read_line_by_line(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))
    assert [line.value for line in read_inputs(Path("-"), Text(), "text")] == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        (
            "rows.csv",
            "age,sex\n54,f\n3\n",
            ROW,
            "line 3: as many fields as columns are wanted, 2. Received: 1",
        ),
        (
            "rows.csv",
            "age,sex\n54,f,x\n",
            ROW,
            "line 2: as many fields as columns are wanted, 2. Received: 3",
        ),
        ("rows.csv", 'age,sex\n"5\n4",f\n3,x\n', ROW, "line 2: The age is wrong"),
        ("rows.csv", "age,sex\n\n54,x\n", ROW, "line 3: The sex is wrong"),
        ("rows.csv", "height,weight\n1,2\n", ROW, "line 2: A row has the columns age, sex"),
        ("rows.jsonl", '{"age": 3}\n{"age": \n', ROW, "line 2: This is no JSON"),
        ("rows.jsonl", '{"age": 3}\n\n{"age": "x"}\n', ROW, "line 3: The age is wrong"),
        ("rows.jsonl", "[" * 100_000, ROW, "line 1: This is no JSON"),
        ("texts.jsonl", '"one"\n{"text": 7}\n', Text(), "line 2: A text is written in quotes"),
        ("seeds.txt", "3\n\n4\n", Number(), "line 2: A number is wanted. Received: ''"),
        ("choices.txt", "a\nc\n", Choice(("a", "b")), "line 2: The choice is wrong"),
        ("bytes.txt", b"one\n\xff\n", Text(), "can't be read as UTF-8 text"),
        ("bytes.txt.gz", b"one", Text(), "can't be read as UTF-8 text"),
    ],
)
def test_a_mistake_is_reported_with_its_line(read, name, content, kind, message):
    with pytest.raises(UserError) as caught:
        read(name, content, kind)
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.csv"):
        read_inputs(tmp_path / "nowhere.csv", Text(), "text")

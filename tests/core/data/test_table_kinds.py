from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.tables import Form, part_paths, read_table
from core.errors import UserError
from core.experiment import load_experiment
from tests.small_data import written

NAMED = {"text": "text", "label": "label"}
ROWS = [
    ('a "good", long; film', "pos"),
    ("über\nzwei lines", "neg"),
    ("a | b", "pos"),
    ("NA", "neg"),
    *(
        (f"film {row} {word}", label)
        for row in range(20)
        for word, label in (("fine", "pos"), ("bad", "neg"))
    ),
]


def separated(separator: str, quoting: int = csv.QUOTE_MINIMAL, after: str = "") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=separator, quoting=quoting, lineterminator="\r\n").writerows(
        [("text", "label"), *ROWS]
    )
    return file.getvalue().replace(separator, separator + after) if after else file.getvalue()


def led_by_blanks() -> str:
    rows = ["text, label"] + ['"{}", {}'.format(text.replace('"', '""'), label) for text, label in ROWS]
    return "\n".join(rows) + "\n"


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/reviews.csv", content)
        archive.writestr("__MACOSX/folder/._reviews.csv", b"debris")
    return file.getvalue()


def objects() -> list[dict[str, str]]:
    return [{"text": text, "label": label} for text, label in ROWS]


def parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(objects()), path)


def arrow(path: Path, stream: bool = False) -> None:
    table = pa.Table.from_pylist(objects())
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(str(path), table.schema) as writer:
        writer.write_table(table)


def categories(path: Path) -> None:
    table = pa.Table.from_pylist(objects())
    labels = table.column("label").dictionary_encode()
    pq.write_table(table.set_column(1, "label", labels), path)


PLAIN = separated(",").encode()
KINDS: dict[str, bytes | Callable[[Path], None]] = {
    "plain.csv": PLAIN,
    "marked.csv": b"\xef\xbb\xbf" + PLAIN,
    "semicolons.csv": separated(";").encode(),
    "bars.csv": separated("|").encode(),
    "tabs.csv": separated("\t").encode(),
    "quoted.csv": separated(",", csv.QUOTE_ALL).encode(),
    "blanks.csv": led_by_blanks().encode(),
    "capitals.csv": PLAIN.replace(b"text,label", b" Text ,LABEL", 1),
    "utf16.csv": separated(",").encode("utf-16"),
    "utf16_without_mark.csv": separated(",").encode("utf-16-be"),
    "quoted.tsv": separated("\t", csv.QUOTE_ALL).encode(),
    "partly_quoted.tsv": separated("\t").encode(),
    "commas.txt": PLAIN,
    "packed.csv.gz": gzip.compress(PLAIN),
    "packed.csv.xz": lzma.compress(PLAIN),
    "packed.csv.bz2": bz2.compress(PLAIN),
    "packed.zip": zipped(PLAIN),
    "packed.csv.zip": zipped(PLAIN),
    "lines.jsonl": "".join(json.dumps(row) + "\n" for row in objects()).encode(),
    "lines.json": "".join(json.dumps(row) + "\n" for row in objects()).encode(),
    "array.json": json.dumps(objects(), indent=1).encode(),
    "array.jsonl": json.dumps(objects()).encode(),
    "columns.parquet": parquet,
    "categories.parquet": categories,
    "file.arrow": arrow,
    "stream.arrow": lambda path: arrow(path, stream=True),
}


def kind(folder: Path, name: str) -> Path:
    content = KINDS[name]
    if isinstance(content, bytes):
        return written(folder / name, content)
    content(folder / name)
    return folder / name


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_table_holds_the_same_rows(tmp_path, name):
    examples, _ = read_table(kind(tmp_path, name), NAMED)
    rows = zip(examples["text"].tolist(), examples["label"].tolist(), strict=True)
    assert [(text.replace("\r\n", "\n"), label) for text, label in rows] == ROWS


def weights(folder: Path, data: Path) -> list[np.ndarray]:
    from core.training.train import train

    settings = ["fit.epochs=1", "fit.jit_compile=false", "fit.steps_per_execution=1", "fit.tensorboard=false"]
    experiment = load_experiment("nlp/sentiment", [f"data={data}", "audit.leaks=allow", *settings])
    model = train(experiment, folder / "run").model
    return [np.asarray(weight) for weight in model.get_weights()]


@pytest.fixture(scope="module")
def plain_weights(tmp_path_factory) -> list[np.ndarray]:
    folder = tmp_path_factory.mktemp("plain")
    return weights(folder, kind(folder, "plain.csv"))


@pytest.mark.parametrize(
    "name",
    [
        "semicolons.csv",
        "blanks.csv",
        "utf16.csv",
        "quoted.tsv",
        "packed.zip",
        "array.json",
        "columns.parquet",
    ],
)
def test_every_kind_of_table_trains_to_the_same_weights(tmp_path, plain_weights, name):
    for plain, other in zip(plain_weights, weights(tmp_path, kind(tmp_path, name)), strict=True):
        np.testing.assert_array_equal(plain, other)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("semicolons.csv", "fields are separated by semicolons, in semicolons.csv"),
        ("quoted.tsv", "quotes open and close fields, in quoted.tsv"),
        ("utf16.csv", "utf16.csv is read as UTF-16"),
    ],
)
def test_what_was_found_out_about_a_table_is_said(tmp_path, name, note):
    assert read_table(kind(tmp_path, name), NAMED)[1] == (note,)


def test_an_encoding_outside_unicode_is_never_guessed_but_suggested(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\nein schöner Film,gut\n".encode("cp1252"))
    with pytest.raises(UserError, match=r"encoding=cp1252, in which .*'ein schöner Film"):
        read_table(path, NAMED)
    examples, _ = read_table(path, NAMED, form=Form(encoding="cp1252"))
    assert examples["text"].tolist() == ["ein schöner Film"]


def test_a_separator_may_be_named(tmp_path):
    path = written(tmp_path / "a.csv", "text^label\ngood^pos\n")
    assert read_table(path, NAMED, form=Form(separator="^"))[0]["label"].tolist() == ["pos"]


def test_an_unknown_encoding_is_refused_when_it_is_given():
    with pytest.raises(UserError, match=r"task\.encoding must be an encoding"):
        load_experiment("nlp/sentiment", ["encoding=utf-99"])


def test_commas_within_texts_of_a_table_with_semicolons_stay(tmp_path):
    path = written(tmp_path / "a.csv", "text;label\none, two;pos\nthree, four;neg\n")
    assert read_table(path, NAMED)[0]["text"].tolist() == ["one, two", "three, four"]


def test_semicolons_within_texts_of_a_table_with_commas_stay(tmp_path):
    path = written(tmp_path / "a.csv", "text,label\none; two,pos\nthree; four,neg\n")
    assert read_table(path, NAMED)[0]["text"].tolist() == ["one; two", "three; four"]


def test_quotes_about_whole_texts_of_a_table_with_tabs_stay(tmp_path):
    path = written(tmp_path / "a.tsv", 'text\tlabel\n"a quoted title"\tpos\nplain\tneg\n')
    assert read_table(path, NAMED)[0]["text"].tolist() == ['"a quoted title"', "plain"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_value_within_an_object_is_named_by_its_path(tmp_path, name):
    rows = [{"review": {"text": "good"}, "label": "pos"}, {"review": {"text": "bad"}, "label": "neg"}]
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    examples, _ = read_table(path, {"text": "review.text", "label": "label"})
    assert examples["text"].tolist() == ["good", "bad"]
    with pytest.raises(UserError, match=r"name it by its path, such as review\.text"):
        read_table(path, {"text": "review", "label": "label"})


def test_a_list_of_labels_is_refused_by_line(tmp_path):
    path = written(tmp_path / "a.json", '[{"text": "a", "label": "x"},\n {"text": "b", "label": ["x", "y"]}]')
    with pytest.raises(UserError, match=r"line 2: a label must be a text or a number, and no list"):
        read_table(path, NAMED, classes=("label",))


def test_an_array_that_is_cut_off_is_refused(tmp_path):
    path = written(tmp_path / "a.json", '[{"text": "a", "label": "x"},\n {"text": "b", "la')
    with pytest.raises(UserError, match="line 2"):
        read_table(path, NAMED)


def test_columns_that_people_call_otherwise_are_guessed_and_said(tmp_path):
    path = written(tmp_path / "a.csv", "Review,Stars\ngood,5\n")
    usual = {"text": ("text", "review"), "label": ("label", "stars")}
    examples, notes = read_table(path, NAMED, usual=usual)
    assert examples["label"].tolist() == ["5"]
    assert notes == (
        "column 'Review' of a.csv is read as the text",
        "column 'Stars' of a.csv is read as the label",
    )


def test_nothing_is_guessed_where_several_columns_fit(tmp_path):
    path = written(tmp_path / "a.csv", "review,sentence,label\ngood,fine,5\n")
    with pytest.raises(UserError, match=r"name one by text_column\. Received: review, sentence"):
        read_table(path, NAMED, usual={"text": ("text", "review", "sentence")})


def test_nothing_is_guessed_for_a_column_that_was_named(tmp_path):
    path = written(tmp_path / "a.csv", "review,label\ngood,5\n")
    with pytest.raises(UserError, match="no column 'remark'"):
        read_table(path, {"text": "remark", "label": "label"}, usual={"text": ("text", "review")})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"PAR1 none", "can't be read as Parquet"),
        ("a.arrow", b"none", "can't be read as Arrow"),
        ("a.csv.xz", b"none", "can't be read"),
        ("a.csv.xz", lzma.compress(PLAIN)[:-20], "can't be read"),
        ("a.csv.zip", b"none", "a.csv.zip"),
        ("a.csv.zip", zipped(PLAIN)[:200], "a.csv.zip"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message):
        read_table(written(tmp_path / name, content), NAMED)


def test_excel_without_its_reader_says_what_to_install(tmp_path):
    path = written(tmp_path / "a.xlsx", b"none")
    with pytest.raises(UserError, match=r"pip install 'keras-quartet\[excel\]'|can't be read as Excel"):
        read_table(path, NAMED)


def test_excel_is_read_like_a_plain_table(tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="Excel is an extra")
    book = openpyxl.Workbook()
    for row in [("Text", "Label", "year"), *((*row[:2], 2001) for row in ROWS)]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    examples, _ = read_table(tmp_path / "a.xlsx", NAMED)
    assert list(zip(examples["text"].tolist(), examples["label"].tolist(), strict=True)) == ROWS
    assert examples["year"][0] == "2001"


def test_names_that_may_be_of_either_part_are_never_passed_over(tmp_path):
    for name in ("train.csv", "heldout.csv"):
        written(tmp_path / name, "x")
    assert part_paths(tmp_path)["test"].name == "heldout.csv"
    written(tmp_path / "test.csv", "x")
    assert {part: path.name for part, path in part_paths(tmp_path).items()} == {
        "train": "train.csv",
        "validation": "heldout.csv",
        "test": "test.csv",
    }


def test_what_windows_and_macs_leave_in_a_folder_is_no_part(tmp_path):
    for name in ("train.csv", "._train.csv", "._test.csv", "desktop.ini", "Thumbs.db"):
        written(tmp_path / name, "x")
    assert list(part_paths(tmp_path)) == ["train"]

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from core.errors import UserError
from core.experiment import load_experiment
from tests.small_data import written

ROWS = [
    (f"film {row} {word}", label) for row in range(20) for word, label in (("fine", "pos"), ("bad", "neg"))
]


def loaded(data: Path, *settings: str):
    return load_experiment("nlp/sentiment", [f"data={data}", *settings]).task.load()


def rows(splits) -> list[tuple[str, str]]:
    return sorted(
        pair
        for part in (splits.train, splits.validation, splits.test)
        for pair in zip(part["text"].tolist(), part["label"].tolist(), strict=True)
    )


def folder_of_classes(folder: Path) -> Path:
    for place, (text, label) in enumerate(ROWS):
        (folder / label).mkdir(parents=True, exist_ok=True)
        written(folder / label / f"{place}.txt", text + "\n")
    written(folder / "README", "about")
    written(folder / "pos" / "._0.txt", b"\0debris")
    return folder


def file_of_lines(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for label in ("pos", "neg"):
        lines = "\n".join(text for text, each in ROWS if each == label)
        written(folder / name.replace("LABEL", label), lines + "\n")
    written(folder / "readme.txt", "about")
    return folder


def test_a_folder_of_texts_for_each_class_is_read(tmp_path):
    assert rows(loaded(folder_of_classes(tmp_path / "data"))) == sorted(ROWS)


def test_texts_without_labels_beside_the_classes_are_passed_over_and_said(tmp_path):
    for part in ("train", "test"):
        folder_of_classes(tmp_path / part)
    (tmp_path / "train" / "unsup").mkdir()
    written(tmp_path / "train" / "unsup" / "0.txt", "nobody knows")
    splits = loaded(tmp_path)
    assert set(splits.train["label"].tolist()) == {"pos", "neg"}
    assert len(splits.test) == len(ROWS)
    assert any("in unsup (1)" in note for note in splits.notes)


@pytest.mark.parametrize("name", ["LABEL.txt", "rt-polarity.LABEL"])
def test_a_file_of_lines_for_each_class_is_read_and_said(tmp_path, name):
    splits = loaded(file_of_lines(tmp_path / "data", name))
    assert rows(splits) == sorted(ROWS)
    assert any("each line of a file is a text of its class: neg from" in note for note in splits.notes)


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_an_archive_of_texts_is_read_like_its_folder(tmp_path, ending):
    folder = folder_of_classes(tmp_path / "data" / "reviews")
    path = tmp_path / f"reviews{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.rglob("*.txt"):
                archive.write(file, file.relative_to(folder.parent))
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.add(folder, "reviews")
    assert rows(loaded(path)) == sorted(ROWS)


def test_an_archive_that_is_cut_off_is_refused(tmp_path):
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as archive:
        archive.add(folder_of_classes(tmp_path / "data"), "reviews")
    content = (tmp_path / "whole.tar.gz").read_bytes()
    with pytest.raises(UserError, match=r"cut\.tar\.gz can't be unpacked"):
        loaded(written(tmp_path / "cut.tar.gz", content[:-400]))


@pytest.mark.parametrize("mark", ["", "__label__"])
def test_lines_that_begin_with_their_labels_are_read_and_said(tmp_path, mark):
    path = written(tmp_path / "a.txt", "".join(f"{mark}{label} {text}\n" for text, label in ROWS))
    splits = loaded(path)
    assert rows(splits) == sorted(ROWS)
    assert "the first word of each line of a.txt is read as its label" in splits.notes


def test_several_labels_of_a_line_are_refused(tmp_path):
    path = written(tmp_path / "a.txt", "__label__a one\n__label__a __label__b two\n")
    with pytest.raises(UserError, match="line 2: a text has one label here, and no list"):
        loaded(path)


def test_lines_that_no_label_begins_are_no_data(tmp_path):
    path = written(tmp_path / "a.txt", "".join(f"word{row} and more\n" for row in range(40)))
    with pytest.raises(UserError, match="no column 'text'"):
        loaded(path)


def test_the_only_table_of_a_folder_is_read_and_said(tmp_path):
    lines = ["text,label", *(f"{text},{label}" for text, label in ROWS)]
    written(tmp_path / "reviews.csv", "\n".join(lines) + "\n")
    splits = loaded(tmp_path)
    assert rows(splits) == sorted(ROWS)
    assert any("reviews.csv is read, the only table" in note for note in splits.notes)


def test_a_table_beside_the_parts_is_passed_over_and_said(tmp_path):
    lines = "\n".join(["text,label", *(f"{text},{label}" for text, label in ROWS)]) + "\n"
    for name in ("train.csv", "eval.csv", "extra.csv"):
        written(tmp_path / name, lines)
    splits = loaded(tmp_path)
    assert len(splits.test) == len(ROWS)
    assert "passed over, as named after no part: extra.csv" in splits.notes


def test_a_text_in_another_encoding_is_named(tmp_path):
    folder = folder_of_classes(tmp_path / "data")
    written(folder / "pos" / "0.txt", "schön".encode("cp1252"))
    with pytest.raises(UserError, match=r"0\.txt is not text in UTF-8.*encoding=cp1252"):
        loaded(folder)
    assert ("schön", "pos") in rows(loaded(folder, "encoding=cp1252"))

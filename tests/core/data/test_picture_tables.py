from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.data.images import read_images
from core.data.picture_tables import PictureColumns
from core.errors import UserError
from tests.small_data import written


def picture(shade: int) -> Image.Image:
    return Image.fromarray(np.full((4, 4), shade, np.uint8))


def table_of_pictures(folder: Path, header: str = "file,label") -> Path:
    (folder / "scans").mkdir(parents=True, exist_ok=True)
    for shade in range(4):
        picture(shade).save(folder / "scans" / f"{shade}.png")
    lines = [f"scans/{shade}.png,{('even', 'odd')[shade % 2]}" for shade in range(4)]
    return written(folder / "pictures.csv", "\n".join([header, *lines]) + "\n")


def shades(part) -> list[tuple[int, str]]:
    return list(zip(part["image"][:, 0, 0, 0].tolist(), part["label"].tolist(), strict=True))


ALL = [(0, "even"), (1, "odd"), (2, "even"), (3, "odd")]


@pytest.mark.parametrize("header", ["file,label", "Filename,Class", "image_path,category"])
def test_pictures_are_read_by_a_table_from_its_folder(tmp_path, header):
    parts, _ = read_images(table_of_pictures(tmp_path, header))
    assert shades(parts["train"]) == ALL
    assert parts["train"]["path"][0] == str(tmp_path / "scans" / "0.png")


def test_columns_of_a_table_of_pictures_may_be_named(tmp_path):
    path = table_of_pictures(tmp_path, "scan,diagnosis")
    with pytest.raises(UserError, match="no column 'file'"):
        read_images(path)
    parts, _ = read_images(path, columns=PictureColumns("scan", "diagnosis"))
    assert shades(parts["train"]) == ALL


def test_a_column_of_a_table_of_pictures_names_its_parts(tmp_path):
    table_of_pictures(tmp_path)
    lines = ["file,label,split", "scans/0.png,a,train", "scans/1.png,b,heldout", "scans/2.png,a,unused"]
    parts, notes = read_images(written(tmp_path / "a.csv", "\n".join(lines) + "\n"))
    assert {part: shades(rows) for part, rows in parts.items()} == {"train": [(0, "a")], "test": [(1, "b")]}
    assert notes == ("1 line of a.csv left out, of no part that is used",)


def test_a_folder_may_hold_a_table_for_each_part(tmp_path):
    table_of_pictures(tmp_path).rename(tmp_path / "train.csv")
    written(tmp_path / "test.csv", "file,label\nscans/3.png,odd\n")
    parts, _ = read_images(tmp_path)
    assert shades(parts["train"]) == ALL
    assert shades(parts["test"]) == [(3, "odd")]


def encoded(shade: int) -> bytes:
    file = io.BytesIO()
    picture(shade).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("nested", [True, False])
def test_pictures_in_parquet_are_read_from_their_bytes(tmp_path, nested):
    values = [{"bytes": encoded(shade), "path": None} if nested else encoded(shade) for shade in range(4)]
    labels = ["even", "odd"] * 2
    pq.write_table(pa.table({"image": values, "label": labels}), tmp_path / "a.parquet")
    parts, _ = read_images(tmp_path / "a.parquet")
    assert shades(parts["train"]) == ALL
    assert "path" not in parts["train"]


def test_a_broken_picture_in_parquet_is_named_by_its_row_or_left_out(tmp_path):
    values = [encoded(0), b"none", encoded(2)]
    pq.write_table(pa.table({"image": values, "label": ["a", "b", "a"]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=r"a\.parquet, row 2 can't be read as a picture"):
        read_images(tmp_path / "a.parquet")
    parts, _ = read_images(tmp_path / "a.parquet", skip_bad=True)
    assert shades(parts["train"]) == [(0, "a"), (2, "a")]


def test_lists_of_labels_of_pictures_are_refused(tmp_path):
    rows = {"image": [encoded(0)], "label": [["a", "b"]]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="one label here, and no list of them"):
        read_images(tmp_path / "a.parquet")


def test_a_picture_that_a_table_names_and_is_not_there_is_refused(tmp_path):
    table_of_pictures(tmp_path)
    (tmp_path / "scans" / "2.png").unlink()
    with pytest.raises(UserError, match=r"no picture at this path.*2\.png"):
        read_images(tmp_path / "pictures.csv")

"""Pictures by a table: the file of each, or its bytes, and its class."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from core.data.column_names import FILE_NAMES, LABEL_NAMES, column_called
from core.data.columnar import ARROW, PARQUET, arrow_table
from core.data.examples import Examples
from core.data.manifests import beside, by_parts
from core.data.tables import FOUND_OUT, TABLES, Form, part_paths, part_word, read_table, table_suffix
from core.errors import UserError

CLASS_NAMES = (*LABEL_NAMES[:2], "class_name", "category")
BYTES = ("bytes", "content")  # of a picture within its column, as Hugging Face writes them


class Encoded(NamedTuple):
    """A picture file in memory.

    Args:
        content: The whole file.
        name: Where it stands, for messages.
    """

    content: bytes
    name: str

    def __str__(self) -> str:
        return self.name


Listed = tuple[list[Path] | list[Encoded], list[str]]
"""The pictures of a part, and the class of each."""


class PictureColumns(NamedTuple):
    """What a table of pictures calls its columns.

    Args:
        file: Of the path of a picture from the table's folder, or of its bytes.
        label: Of its class.
        form: How the table is written.
    """

    file: str = FILE_NAMES[0]
    label: str = CLASS_NAMES[0]
    form: Form = FOUND_OUT


USUAL = PictureColumns()


def is_by_table(path: Path) -> bool:
    """Return whether a path is a table, or a folder with a table of the training part."""
    if path.is_file():
        return table_suffix(path) in TABLES
    return any(part_word(entry) in ("train", "training") and is_by_table(entry) for entry in _files(path))


def listed_by_table(path: Path, columns: PictureColumns) -> tuple[dict[str, Listed], list[str]]:
    """Return the pictures of each part that a table or tables list, and notes.

    Args:
        path: Of the table, whose column `split`, if it has one, names parts; or of a folder with a table for
            each part.
        columns: What they call their columns.

    Raises:
        UserError: A table can't be read, lacks a column, or gives a picture several classes.
    """
    notes: list[str] = []
    listed: dict[str, Listed] = {}
    paths = part_paths(path)
    for part, table in paths.items():
        read, said = _read(table, columns)
        notes += said
        if len(paths) > 1 and len(read) > 1:
            raise UserError(f"{table} names parts, and so do the names of files: keep one. Received: {path}.")
        listed |= read if len(paths) == 1 else {part: read["train"]}
    return listed, notes


def _files(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if entry.is_file()] if folder.is_dir() else []


def _read(table: Path, columns: PictureColumns) -> tuple[dict[str, Listed], list[str]]:
    if table_suffix(table) in (*PARQUET, *ARROW):
        held = _bytes(table, columns)
        if held is not None:
            return held
    lines, notes = read_table(
        table,
        {"file": columns.file, "label": columns.label},
        classes=("label",),
        usual={"file": FILE_NAMES, "label": CLASS_NAMES},
        form=columns.form,
    )
    parts, said = by_parts(lines, table)
    return {part: _paths(table, rows) for part, rows in parts.items()}, [*notes, *said]


def _paths(table: Path, rows: Examples) -> Listed:
    return [beside(table, name.strip()) for name in rows["file"].tolist()], rows["label"].tolist()


def _bytes(table: Path, columns: PictureColumns) -> tuple[dict[str, Listed], list[str]] | None:
    """Return the pictures that a table holds itself; nothing where it names files."""
    import pyarrow as pa

    whole = arrow_table(table)
    names = (columns.file, *FILE_NAMES, "img", "picture")
    held = next((found for name in names if (found := column_called(name, whole.column_names))), None)
    if held is None or not _holds_bytes(pa, whole.schema.field(held).type):
        return None
    labels = (columns.label, *(CLASS_NAMES if columns.label == CLASS_NAMES[0] else ()))
    label = next((found for name in labels if (found := column_called(name, whole.column_names))), None)
    if label is None:
        raise UserError(
            f"{table} has no column {columns.label!r}: name it by label_column. "
            f"Received the columns: {', '.join(whole.column_names[:12])}."
        )
    if pa.types.is_nested(whole.schema.field(label).type):
        raise UserError(
            f"{table}: a picture has one label here, and no list of them. "
            f"Received: {whole.column(label)[0].as_py()!s:.60}."
        )
    values = enumerate(whole.column(held).to_pylist(), start=1)
    contents = [_content(value, f"{table}, row {row}") for row, value in values]
    texts = {
        name: [str(value) for value in whole.column(name).to_pylist()]
        for name in whole.column_names
        if name != held and not pa.types.is_nested(whole.schema.field(name).type)
    }
    rows = Examples({**texts, "place": range(len(contents))}, str(table))
    parts, notes = by_parts(rows, table)
    return {
        part: ([contents[place] for place in each["place"].tolist()], each[label].tolist())
        for part, each in parts.items()
    }, notes


def _holds_bytes(pa: Any, kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(kind.field(place).name in BYTES for place in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _content(value: Any, place: str) -> Encoded:
    if isinstance(value, dict):
        value = next((value[name] for name in BYTES if value.get(name)), None)
    return Encoded(value or b"", place)

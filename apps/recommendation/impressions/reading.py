"""Tables of clicks as they are published: CSV, TSV, JSON lines, Parquet, libsvm, and Criteo's."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from apps.recommendation.impressions import libsvm, parquet
from apps.recommendation.impressions.slots import MISSING, written
from core.data.content import content_hash
from core.data.examples import Examples
from core.data.published_parts import named_parts
from core.data.tables import (
    JSON_LINES,
    NESTED,
    SEPARATORS,
    existing,
    opened_text,
    part_paths,
    table_lines,
    table_suffix,
)
from core.errors import UserError
from core.inputs.row import numbers_of
from core.wording import counted

LABELS = ("label", "click", "clicked", "is_click", "target")
IDS = ("id", "ids", "code", "zip", "hash")  # last words of the names of numbers that only name something
CRITEO = ("label", *(f"I{place}" for place in range(1, 14)), *(f"C{place}" for place in range(1, 27)))


@dataclass(frozen=True)
class Reading:
    """How a table is read.

    Args:
        label: The column of clicks by its name or position; nothing to look for one of `LABELS`.
        names: Of the columns of a file without a header.
        categories: Columns of numbers that name something.
        numbers: Columns that are numbers, though they look like names.
        separator: Between several values of one row.
        skip_bad: Leave out lines that can't be read, and count them.
        buckets: Into which the values of each column of categories are hashed, if at all.
    """

    label: str | None = None
    names: Sequence[str] = ()
    categories: Sequence[str] = ()
    numbers: Sequence[str] = ()
    separator: str = "|"
    skip_bad: bool = False
    buckets: int | None = None


Columns = dict[str, np.ndarray]
"""By name: texts, empty where a value is missing, or numbers, nan where one is missing."""


def read_parts(source: str, how: Reading) -> tuple[dict[str, Examples], list[str]]:
    """Return the parts of a source, and notes of what was left out or read otherwise than it looks.

    Every column but `label` and `row` is one of the table; `row` is a hash of all of them.

    Raises:
        UserError: The source is missing or no such table.
    """
    path, suffixes = existing(source), (*SEPARATORS, *JSON_LINES, *libsvm.SUFFIXES, *parquet.SUFFIXES)
    paths = dict(named_parts(path)) or part_paths(path, suffixes)
    if not how.names and how.label is None and _is_criteo(paths["train"]):
        how = replace(how, names=CRITEO, numbers=CRITEO[1:14], categories=CRITEO[14:])
    if how.buckets and table_suffix(paths["train"]) in parquet.SUFFIXES:
        return _hashed(paths, how)
    tables, notes = {}, []
    for part, each in paths.items():
        tables[part], said = _table(each, how)
        notes += said
    label = _label_column(paths["train"], list(tables["train"]), how)
    names = [name for name in tables["train"] if name != label]
    if not names:
        raise UserError(f"{paths['train']} has no column beside {label!r}. Received: {label}.")
    typed = table_suffix(paths["train"]) in (*libsvm.SUFFIXES, *parquet.SUFFIXES)
    numbers = {name for name in names if _is_number(name, tables["train"][name], how, typed)}
    ids = sorted(
        name for name in names if name not in numbers and _looks_like_an_id(name, tables["train"][name])
    )
    if ids:
        notes.append(
            f"{', '.join(ids)}: read as names and not as amounts, for what they are called; "
            "numbers=[...] says otherwise"
        )
    parts = {}
    for part, table in tables.items():
        _require_same_columns(paths[part], table, paths["train"], [*names, label])
        parts[part], said = _examples(paths[part], table, label, names, numbers, how)
        notes += said
    return _with_labels_of_train(parts), notes


def _hashed(paths: Mapping[str, Path], how: Reading) -> tuple[dict[str, Examples], list[str]]:
    """Return the parts of a source in Parquet, read piece by piece."""
    from apps.recommendation.impressions.streaming import Schema, read_hashed

    files = {part: _files(path) for part, path in paths.items()}
    types = parquet.column_types(files["train"][0])
    label = _label_column(files["train"][0], list(types), how)
    names = [name for name in types if name != label]
    ids = [name for name in names if types[name] == "integer" and _is_named_as_an_id(name)]
    numbers = [
        name
        for name in names
        if name in how.numbers or (types[name] != "text" and name not in (*how.categories, *ids))
    ]
    schema = Schema(label, numbers, [name for name in names if name not in numbers])
    for each in files.values():
        for file in each:
            _require_same_columns(
                file, dict.fromkeys(parquet.column_types(file)), files["train"][0], list(types)
            )
    parts = {part: read_hashed(each, schema, how.buckets or 1, how.separator) for part, each in files.items()}
    return parts, [f"categories are hashed into {how.buckets:,} buckets each, without a vocabulary"]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "_")))
    if not files:
        raise UserError(f"The folder is empty. Received: {path}.")
    return files


def _table(path: Path, how: Reading) -> tuple[Columns, list[str]]:
    if path.is_dir():
        files = _files(path)
        read = [_table(file, how) for file in files]
        for file, (table, _) in zip(files, read, strict=True):
            _require_same_columns(file, table, files[0], list(read[0][0]))
        joined = {name: np.concatenate([table[name] for table, _ in read]) for name in read[0][0]}
        return joined, [note for _, notes in read for note in notes]
    suffix = table_suffix(path)
    if suffix in libsvm.SUFFIXES:
        return libsvm.read(path, how.names, skip_bad=how.skip_bad)
    if suffix in parquet.SUFFIXES:
        return parquet.read(path, how.separator), []
    return _text_table(path, how)


def _text_table(path: Path, how: Reading) -> tuple[Columns, list[str]]:
    names = list(how.names)
    headless = bool(names) or (how.label or "").isdigit()
    frame, bad = table_lines(path, headless)
    if bad and not how.skip_bad:
        raise UserError(
            f"{path}, line {bad[0]}: not as many fields as columns. Mend the file, or leave such lines out "
            f"with skip_bad=true. Received: {len(bad)} of them."
        )
    columns = [name for name in frame.columns if name != "_line"]
    if names and len(names) != len(columns):
        raise UserError(
            f"names must give one name for each column of {path}. Received: {len(names)} names, "
            f"{len(columns)} columns."
        )
    for name in frame.attrs.get(NESTED, {}):
        frame[name] = [
            _joined(path, line, each, how) for line, each in zip(frame["_line"], frame[name], strict=True)
        ]
    known = [str(name) for name in (names or columns)]
    texts = [frame[column].fillna("").str.strip().to_numpy(object) for column in columns]
    table = {
        name: np.where(np.isin(values, MISSING), "", values).astype(np.dtypes.StringDType())
        for name, values in zip(known, texts, strict=True)
    }
    note = [f"{counted(len(bad), 'bad line')} of {path.name} left out"] if bad else []
    return table, note


def _joined(path: Path, line: int, text: object, how: Reading) -> object:
    """Return the values of a list of JSON lines, which Python has written out, with the separator between."""
    if not isinstance(text, str) or not text.startswith(("[", "{")):
        return text
    value = ast.literal_eval(text)
    if isinstance(value, dict) or any(isinstance(each, list | dict) for each in value):
        raise UserError(
            f"{path}, line {line}: a value must be a text, a number, or a list of them. "
            f"Received: {text[:60]}."
        )
    return written(value, how.separator or "|")


def _is_criteo(path: Path) -> bool:
    """Return whether the first line is one of Criteo's: a click, 13 counts, 26 hashes, and no header."""
    if not path.is_file() or SEPARATORS.get(table_suffix(path)) != "\t":
        return False
    try:
        with opened_text(path) as file:
            fields = file.readline().rstrip("\r\n").split("\t")
    except (OSError, UnicodeDecodeError):
        return False  # whoever reads it whole says so
    counts = all(field == "" or field.lstrip("-").isdigit() for field in fields[:14])
    return len(fields) == len(CRITEO) and fields[0] in ("0", "1") and counts


def _label_column(path: Path, names: Sequence[str], how: Reading) -> str:
    label = how.label
    if label is None:
        label = next((name for name in LABELS if name in names), None)
    elif how.names and label.isdigit() and label not in names and int(label) < len(names):
        label = names[int(label)]
    if label is None or label not in names:
        asked = "" if how.label is None else f" {how.label!r}"
        raise UserError(
            f"{path} has no column of clicks{asked}: name it by label_column, in a file without a header by "
            f"its position from 0. Received the columns: {', '.join(names[:12])}."
        )
    return label


def _is_number(name: str, values: np.ndarray, how: Reading, typed: bool) -> bool:
    if name in how.categories or name in how.numbers:
        return name in how.numbers
    if typed and values.dtype.kind not in "biuf":
        return False
    return (
        numbers_of(values) is not None and bool(_filled(values).any()) and not _looks_like_an_id(name, values)
    )


def _filled(values: np.ndarray) -> np.ndarray:
    return ~np.isnan(values) if values.dtype.kind in "biuf" else values != ""


def _looks_like_an_id(name: str, values: np.ndarray) -> bool:
    """Return whether a name says that whole numbers under it only name something, such as `item_id`."""
    if not _is_named_as_an_id(name):
        return False
    numbers = numbers_of(values)
    return numbers is not None and bool(np.all(np.isnan(numbers) | (numbers == np.floor(numbers))))


def _is_named_as_an_id(name: str) -> bool:
    words = name.lower().replace("-", "_").replace(" ", "_").split("_")
    return words[-1] in IDS or name.endswith(("Id", "ID"))


def _require_same_columns(path: Path, table: Mapping[str, Any], train: Path, names: Sequence[str]) -> None:
    lacking = [name for name in names if name not in table]
    if lacking:
        raise UserError(
            f"{path} lacks a column that {train.name} has: {', '.join(lacking[:8])}. "
            f"Received: {', '.join(list(table)[:12])}."
        )


def _examples(
    path: Path, table: Columns, label: str, names: Sequence[str], numbers: set[str], how: Reading
) -> tuple[Examples, list[str]]:
    labels = _texts(table[label])
    lacking = labels == ""
    if lacking.any() and not how.skip_bad:
        raise UserError(
            f"{path}, row {int(np.flatnonzero(lacking)[0]) + 1}: column {label!r} is empty, which is neither "
            f"click nor no click. Mend it, or leave such rows out with skip_bad=true. "
            f"Received: {int(lacking.sum())} of them."
        )
    columns = {
        name: _numbers(path, name, table[name]) if name in numbers else _texts(table[name]) for name in names
    }
    examples = Examples({**columns, "label": labels}, str(path)).take(~lacking)
    if not len(examples):
        raise UserError(f"{path} has no row whose column {label!r} is filled. Received: {len(lacking)} rows.")
    # Two columns at least, so that texts are compared as they are.
    row = content_hash(examples.with_columns(_=np.zeros(len(examples))), [*names, "_"])
    note = [f"{counted(int(lacking.sum()), 'row')} of {path.name} without a label left out"]
    return examples.with_columns(row=row), note if lacking.any() else []


def _texts(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "biuf":
        return np.array([written(value) for value in values.tolist()], np.dtypes.StringDType())
    return values


def _numbers(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    numbers = numbers_of(values)
    if numbers is None:
        for row, text in enumerate(values.tolist(), start=1):
            if numbers_of(np.array([text], np.dtypes.StringDType())) is None:
                raise UserError(
                    f"{path}, row {row}: column {name!r} must be a number, as in the training part; or name "
                    f"it in categories. Received: {text!r}."
                )
    assert numbers is not None
    return numbers


def _with_labels_of_train(parts: Mapping[str, Examples]) -> dict[str, Examples]:
    """Return the parts with the labels of the training part: in Adult, those of the test end in a dot."""
    known = np.unique(parts["train"]["label"])

    def mended(part: Examples) -> Examples:
        labels = part["label"]
        bare = np.strings.rstrip(labels, ".")
        if np.isin(labels, known).all() or not np.isin(bare, known).all():
            return part
        return part.with_columns(label=bare)

    return {name: mended(part) for name, part in parts.items()}

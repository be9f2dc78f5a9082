"""Inputs from a file: a table with named columns, JSON lines, or one input a line."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import UserError
from core.inputs.kind import Input

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Line:
    """An input that was read from a file.

    Args:
        number: Of the line that it starts in, from 1.
        value: As `Task.predict` takes it.
    """

    number: int
    value: Any


def read_inputs(path: Path, kind: Input, name: str) -> list[Line]:
    """Return the inputs of a file, one a line or a row, none left out.

    Args:
        path: A table in CSV or TSV with a header, JSON lines, or any other file with one input a line; each
            may end in `.gz`. `-` is standard input, one input a line.
        kind: What the inputs are.
        name: Of the input, which is the column it stands in where the kind has no column of its own.

    Raises:
        UserError: The file can't be read, or a line is no such input; the message names the line.
    """
    text = _text_of(path)
    suffix = next((each.lower() for each in reversed(path.suffixes) if each.lower() != ".gz"), "")
    if suffix in SEPARATORS:
        lines = _of_table(text, SEPARATORS[suffix], kind, name, path)
    elif suffix in JSON_LINES:
        lines = _of_json(text, kind, name, path)
    else:
        lines = _of_lines(text, kind, path)
    return list(lines)


def _text_of(path: Path) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read()
        content = path.read_bytes()
        if path.suffix.lower() == ".gz":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read as UTF-8 text: {error}.") from None


def _of_lines(text: str, kind: Input, path: Path) -> Iterator[Line]:
    # Only what ends a line in a file does: form feeds and other separators of Unicode may stand in a text.
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        with _of_line(path, number):
            value = kind.typed(line)
        yield Line(number, value)


def _of_table(text: str, separator: str, kind: Input, name: str, path: Path) -> Iterator[Line]:
    csv.field_size_limit(2**27)
    # A quote in the middle of a tab-separated line is a quote and opens no field.
    quoting: Literal[0, 3] = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)
    header: list[str] = next(reader, [])
    start = reader.line_num + 1
    for row in reader:
        number, start = start, reader.line_num + 1
        if not row:
            continue
        if len(row) != len(header):
            raise UserError(
                f"{path}, line {number}: as many fields as columns are wanted, {len(header)}. "
                f"Received: {len(row)}."
            )
        with _of_line(path, number):
            value = kind.record(dict(zip(header, row, strict=True)), name)
        yield Line(number, value)


def _of_json(text: str, kind: Input, name: str, path: Path) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        with _of_line(path, number):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"This is no JSON: {error}.") from None
            if isinstance(value, dict):
                read = kind.record(value, name)
            else:
                read = kind.typed(value if isinstance(value, str) else json.dumps(value))
        yield Line(number, read)


@contextlib.contextmanager
def _of_line(path: Path, number: int) -> Iterator[None]:
    """Say of a mistake in which line it is."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{path}, line {number}: {error}") from None

"""Rows of JSON: an object a line, or an array of objects."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, TextIO

JSON_LINES = (".jsonl", ".ndjson")
JSON = (*JSON_LINES, ".json")
_BLANKS = " \t\r\n"
Nested = dict[str, tuple[int, str]]
"""Column to the first line with a list or mapping, and that value."""


def json_rows(
    file: TextIO, inner: Collection[str]
) -> tuple[list[dict[str, Any]], list[int], list[int], Nested]:
    """Return the rows of a file as texts.

    Args:
        file: An object a line, or an array of objects.
        inner: Dotted names of values within objects that become columns, such as `review.text`.

    Returns:
        The good rows, the lines they begin in, the bad lines, and what columns hold lists or mappings.
    """
    rows, lines, bad = [], [], []
    nested: Nested = {}
    for number, row in _objects(file):
        try:
            whole = {**row, **_inner(row, inner)}
            rows.append(row_of_texts(whole))
            lines.append(number)
        except (ValueError, RecursionError, TypeError):
            bad.append(number)
            continue
        for name, value in whole.items():
            if isinstance(value, list | dict):
                nested.setdefault(name, (number, str(value)))
    return rows, lines, bad, nested


def row_of_texts(row: Any) -> dict[str, str | None]:
    """Return the values of an object as texts, and none for those that are missing.

    Raises:
        ValueError: It is no object, or holds what is no text.
    """
    if not isinstance(row, dict):
        raise ValueError("a line is an object")
    texts = {
        name: None if value in (None, "") or value != value else str(value) for name, value in row.items()
    }
    # Half of a surrogate pair is legal JSON and no text: encoding it raises.
    "".join([*texts, *filter(None, texts.values())]).encode()
    return texts


def _objects(file: TextIO) -> Iterator[tuple[int, Any]]:
    """Yield what each line holds, or each place of an array, with its line; nothing for what is no JSON."""
    first = ""
    for number, line in enumerate(file, start=1):
        if not first and line.strip():
            first = line.lstrip()[0]
        if first == "[":
            yield from _places(line + file.read(), number)
            return
        if line.strip():
            yield number, _parsed(line)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _places(text: str, number: int) -> Iterator[tuple[int, Any]]:
    """Yield the objects of an array and the lines they begin in; one more nothing where it is cut or bad."""
    decoder, at = json.JSONDecoder(), text.index("[") + 1
    counted_to = 0
    while True:
        while at < len(text) and text[at] in _BLANKS + ",":
            at += 1
        number, counted_to = number + text.count("\n", counted_to, at), at
        if at < len(text) and text[at] == "]":
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield number, None
            return
        yield number, value


def _inner(row: Any, names: Collection[str]) -> dict[str, Any]:
    return {name: value_within(row, name) for name in names if name not in row} if names else {}


def value_within(row: Any, name: str) -> Any:
    """Return the value at a dotted name of nested objects; nothing where there is none.

    Example:

    >>> value_within({"review": {"text": "lovely"}}, "review.text")
    'lovely'
    """
    for key in name.split("."):
        if not isinstance(row, dict):
            return None
        row = row.get(key)
    return row

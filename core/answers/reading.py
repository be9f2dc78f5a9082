"""Answers that a run has kept, read back as their kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core.answers.kind import Answers
from core.writing import parsed_json


def read_answers(path: Path, kind: type[Answers] | None) -> Answers | None:
    """Return the answers of a run; nothing where its task gives no kind that a report knows, or kept none.

    Args:
        path: `predictions.jsonl`.
        kind: What the task gives.
    """
    return _answers(partial(rows_of, path), kind) if path.is_file() else None


def _answers(rows: Any, kind: type[Answers] | None) -> Answers | None:
    if kind is None or next(rows(), None) is None:
        return None
    return kind.from_rows(rows())


def read_rivals(path: Path, kind: type[Answers] | None) -> dict[str, Answers]:
    """Return the answers of a run's rivals by their names; none where none were kept.

    Args:
        path: `baseline.jsonl`.
        kind: What the task gives.
    """
    names = dict.fromkeys(row["rival"] for row in rows_of(path)) if path.is_file() else {}
    read = {name: _answers(partial(_rows_of_rival, path, name), kind) for name in names}
    return {name: answers for name, answers in read.items() if answers is not None}


def _rows_of_rival(path: Path, rival: str) -> Iterator[dict[str, Any]]:
    return (row for row in rows_of(path) if row["rival"] == rival)


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield parsed_json(path, line)


def rows_at(path: Path, places: Sequence[int]) -> list[dict[str, Any]]:
    """Return the rows at these places, in the order of `places`."""
    wanted = set(places)
    if not wanted:
        return []
    rows = {place: row for place, row in enumerate(rows_of(path)) if place in wanted}
    return [rows[place] for place in places]

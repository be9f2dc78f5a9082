"""The kinds of answers that a report knows: classes, numbers, and rankings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.reporting import classes, numbers, rankings
from core.reporting.finding import Finding
from core.writing import parsed_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Answers = classes.ClassAnswers | numbers.NumberAnswers | rankings.RankedAnswers
Tree = Mapping[str, Any]


class Kind(NamedTuple):
    """What a report does with answers of one kind.

    Args:
        answers: Reads the rows, and gives figures and tables.
        pictures: From a report's figures to pictures by name.
        findings: From a report's figures to what needs mending.
    """

    answers: type[Answers]
    pictures: Callable[[Tree], dict[str, Figure | None]]
    findings: Callable[[Tree], Iterator[Finding]]


KINDS = {
    "classes": Kind(classes.ClassAnswers, classes.pictures, classes.findings),
    "numbers": Kind(numbers.NumberAnswers, numbers.pictures, numbers.findings),
    "rankings": Kind(rankings.RankedAnswers, rankings.pictures, rankings.findings),
}


def read_answers(path: Path) -> Answers | None:
    """Return the answers of a run, or nothing where its rows are of no kind that a report knows.

    Args:
        path: `predictions.jsonl`.
    """
    return _answers(lambda: rows_of(path)) if path.is_file() else None


def _answers(rows: Callable[[], Iterator[dict[str, Any]]]) -> Answers | None:
    first = next(rows(), None)
    for kind in KINDS.values():
        if first is not None and kind.answers.columns <= set(first):
            return kind.answers.from_rows(rows())
    return None


def read_rivals(path: Path) -> dict[str, Answers]:
    """Return the answers of a run's rivals by their names; none where none were kept.

    Args:
        path: `baseline.jsonl`.
    """
    names = dict.fromkeys(row["rival"] for row in rows_of(path)) if path.is_file() else {}
    read = {name: _answers(partial(_rows_of_rival, path, name)) for name in names}
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
    found = {place: row for place, row in enumerate(rows_of(path)) if place in wanted}
    return [found[place] for place in places]

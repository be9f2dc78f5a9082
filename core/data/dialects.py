"""How the fields of a text table are separated and quoted, found out from its first lines."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".tab": "\t"}
CANDIDATES = ("\t", ";", ",", "|")  # the surest first
NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", " ": "blanks", ":": "colons"}
ROWS_LOOKED_AT = 200
ALIKE = 0.9  # of these have as many fields as the first, in a table of that separator
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class Dialect:
    """How a line is cut into fields.

    Args:
        separator: One character.
        quoted: A quote at the start of a field opens it, and else is a letter like others.
        skip_blanks: Blanks behind a separator belong to no field.
    """

    separator: str
    quoted: bool = True
    skip_blanks: bool = False

    def reader(self, lines: Iterable[str]) -> Any:
        """Return the reader of rows, which knows the line that it is at."""
        csv.field_size_limit(2**27)
        return csv.reader(
            (line.replace("\0", "") for line in lines),
            delimiter=self.separator,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            skipinitialspace=self.skip_blanks,
        )

    def first_rows(self, lines: Sequence[str]) -> list[list[str]]:
        """Return the rows of the first lines of a file, of which the last may be cut."""
        rows: list[list[str]] = []
        with contextlib.suppress(csv.Error):  # whoever reads all of it says so
            rows += (row for row in islice(self.reader(lines), ROWS_LOOKED_AT) if row)
        return rows


def first_lines(lines: Iterator[str]) -> list[str]:
    """Return as many lines as it takes to find a dialect out."""
    return list(islice(lines, ROWS_LOOKED_AT))


def dialect_of(lines: Sequence[str], usual: str, separator: str | None = None) -> Dialect:
    """Return how the fields of a table are separated and quoted.

    Args:
        lines: The first of the file, which are of data or, the very first, of names.
        usual: What separates fields by the ending of the file's name; it holds unless it can't be.
        separator: What does where somebody says so.

    Example:

    >>> dialect_of(["text;label", "good, really;pos"], ",").separator
    ';'
    >>> dialect_of(["text, label", "good, pos"], ",").skip_blanks
    True
    """
    chosen = separator or _separator(lines, usual)
    if chosen == "\t" or (chosen == usual and usual == "\t"):
        return Dialect("\t", quoted=_quotes_open_fields(lines))
    plain = Dialect(chosen)
    skipping = replace(plain, skip_blanks=True)
    rows = plain.first_rows(lines)
    names = rows[0][1:] if rows else []
    led_by_blanks = bool(names) and all(name[:1] == " " and name.strip() for name in names)
    return skipping if led_by_blanks or _alike(skipping, lines) > _alike(plain, lines) else plain


def said(dialect: Dialect, usual: str) -> str:
    """Return what is unusual about a dialect, in words; nothing where nothing is.

    Example:

    >>> said(Dialect(";"), ","), said(Dialect(","), ",")
    ('fields are separated by semicolons', '')
    """
    if dialect.separator != usual:
        return f"fields are separated by {NAMES.get(dialect.separator, repr(dialect.separator))}"
    return "quotes open and close fields" if usual == "\t" and dialect.quoted else ""


def _separator(lines: Sequence[str], usual: str) -> str:
    others = [each for each in CANDIDATES if each != usual]
    fitting = [each for each in others if _alike(Dialect(each), lines) >= ALIKE]
    usual_fits = max(_alike(Dialect(usual, quoted), lines) for quoted in (True, False)) >= ALIKE
    # Where all commas stand between digits they are decimal ones.
    decimal = usual == "," and ";" in fitting and _all_between_digits(lines)
    return fitting[0] if fitting and (decimal or not usual_fits) else usual


def _all_between_digits(lines: Sequence[str]) -> bool:
    return all(line.count(",") == len(_BETWEEN_DIGITS.findall(line)) for line in lines)


def _alike(dialect: Dialect, lines: Sequence[str]) -> float:
    """Return the share of rows with as many fields as the first; 0 where that has one."""
    rows = dialect.first_rows(lines)
    if len(rows) > 1 and len(lines) == ROWS_LOOKED_AT:
        rows.pop()  # which the last line may cut
    if not rows or len(rows[0]) < 2:
        return 0.0
    widths = Counter(map(len, rows))
    return widths[len(rows[0])] / len(rows)


def _quotes_open_fields(lines: Sequence[str]) -> bool:
    """Return whether quotes of a table with tabs open fields, and are no letters of its texts.

    They do where all names are quoted, or where it has lines or tabs within quotes, or quotes are doubled in
    all fields that begin with one.
    """
    plain = Dialect("\t", quoted=False).first_rows(lines)
    if not plain:
        return False
    if all(_is_quoted(name) for name in plain[0]):
        return True
    opened = [field for row in plain for field in row if field.startswith('"')]
    if opened and all(map(_is_quoted, opened)):
        return any('""' in field[1:-1] for field in opened)
    with_quotes, without = (_alike(Dialect("\t", quoted), lines) for quoted in (True, False))
    return with_quotes == 1 > without


def _is_quoted(field: str) -> bool:
    """Return whether a field stands in quotes, and those within it are doubled."""
    inside = field[1:-1]
    return len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inside.replace('""', "")

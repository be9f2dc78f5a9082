"""Choices without ratings: pairs of a user and an item, or a line for each user with all that they chose."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from core.data.examples import Examples
from core.data.published_parts import named_parts
from core.data.ratings import (
    AS_PUBLISHED,
    RATING_NAMES,
    WHOLE_FILES,
    RatingsForm,
    ratings_file,
    read_ratings,
    separator_of,
)
from core.data.tables import COLUMNAR, JSON, opened_text, table_suffix
from core.errors import UserError
from core.wording import counted

LINES_LOOKED_AT = 1000  # to tell lists of items from a table
ALIKE = 0.9  # of these have the same number of fields in a table, where some may be bad
MOST_FIELDS = len(RATING_NAMES)  # of a table without names


def read_choices(
    path: Path, *, skip_bad: bool = False, how: RatingsForm = AS_PUBLISHED
) -> tuple[Examples, tuple[str, ...]]:
    """Read who chose what: lists of items, pairs, or ratings, of which the choice counts.

    Args:
        path: As `core.data.ratings.read_ratings` takes it; the table may lack ratings, and may have no more
            columns than a user and an item. Or lines of `user item item ...`, oldest first, separated by
            blanks, tabs or commas, packed (`.gz`) or not.
        skip_bad: Leave out bad lines, and count them; else refuse them.
        how: What somebody says of how a table is written.

    Returns:
        Columns `user` and `item` (text), `rating` (float32, 1 where the file has none), `time` (int64,
        seconds) where the file has it, and `order` (int64) where it has lists, whose items stand in the order
        of events; and notes of what was left out.

    Raises:
        UserError: There is no such file, it lacks a column, or has bad lines.
    """
    file, _ = ratings_file(path)
    if how.columns or not _holds_lists(file):
        return read_ratings(path, skip_bad=skip_bad, choices=True, how=how)
    users: list[str] = []
    items: list[str] = []
    without = 0
    try:
        for fields in _lines(file):
            users += [fields[0]] * (len(fields) - 1)
            items += fields[1:]
            without += len(fields) == 1
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UserError(f"{file} can't be read: {error}.") from None
    if not items:
        raise UserError(f"{file} has no choices. Received: {counted(without, 'user')} without any item.")
    notes = [f"{counted(without, 'user')} of {file.name} without any item"] if without else []
    columns = {
        "user": np.array(users, object),
        "item": np.array(items, object),
        "rating": np.ones(len(items), np.float32),
        "order": np.arange(len(items)),
    }
    return Examples(columns, str(file)), tuple(notes)


def whole_or_parts(path: Path) -> Mapping[str, Path]:
    """Return the one source at a path as `train`, or the files of its parts as they are published.

    A folder with a file named like those of MovieLens is whole, whatever lies beside it.
    """
    whole = path.is_dir() and any((path / name).is_file() for name in WHOLE_FILES)
    return {"train": path} if whole else named_parts(path) or {"train": path}


def _holds_lists(path: Path) -> bool:
    """Return whether lines are of so different or so many fields that they are no rows of a table."""
    if table_suffix(path) in (*JSON, *COLUMNAR):
        return False
    try:
        first = list(islice(_lines(path), LINES_LOOKED_AT))
    except (OSError, EOFError, zlib.error, ValueError):
        return False  # the reader of tables says what is wrong
    if not first or any(field.lower() in RATING_NAMES["user"] for field in first[0]):
        return False
    ((usual, times),) = Counter(len(fields) for fields in first).most_common(1)
    return usual > MOST_FIELDS or times < ALIKE * len(first)


def _lines(path: Path) -> Iterator[list[str]]:
    """Yield the fields of each line that isn't blank."""
    with opened_text(path) as file:
        separator = None
        for line in file:
            if not line.strip():
                continue
            separator = separator or separator_of(line)
            fields = [field.strip() for field in re.split(separator, line.strip())]
            while len(fields) > 1 and not fields[-1]:
                fields.pop()  # what stands behind the last separator
            yield fields

"""Rows of `label id:value id:value ...`, as libsvm and libFM read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.data.tables import opened_text
from core.errors import UserError
from core.wording import counted

SUFFIXES = (".libsvm", ".svm", ".libfm", ".svmlight")
MOST_NUMBERS = 2_000  # ids that become a column of numbers each
FIELD, FEATURE, FEATURES = "field_{}", "feature_{}", "features"


def read(
    path: Path, names: Sequence[str] = (), *, skip_bad: bool = False
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the columns of a file, and notes of what was left out.

    Where all values are 1 and each row has as many ids, each place in a row is a column of categories; where
    rows have some more and some less, they are one column of several values. Else each id is a column of
    numbers, 0 where a row leaves it out.

    Args:
        path: The file, which may end in `.gz`.
        names: Of the places of ids, where each is a column.
        skip_bad: Leave out lines that can't be read, and count them.

    Raises:
        UserError: A line is no such row, or there are too many ids with values.
    """
    labels: list[str] = []
    ids: list[list[int]] = []
    values: list[list[float]] = []
    bad = 0
    with opened_text(path) as file:
        try:
            for number, line in enumerate(file, start=1):
                words = line.partition("#")[0].split()
                if not words:
                    continue
                try:
                    row = [
                        (int(key), float(value))
                        for key, _, value in (word.partition(":") for word in words[1:])
                    ]
                except ValueError:
                    bad += 1
                    if not skip_bad:
                        raise UserError(
                            f"{path}, line {number}: a row is LABEL ID:VALUE ID:VALUE ... Mend the file, or "
                            f"leave such lines out with skip_bad=true. Received: {line.strip()[:60]!r}."
                        ) from None
                    continue
                labels.append(_plain(words[0]))
                ids.append([key for key, _ in row])
                values.append([value for _, value in row])
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise UserError(f"{path} can't be read: {error}.") from None
    if not labels:
        raise UserError(f"{path} has no lines of data. Received: {counted(bad, 'bad line')} and no good one.")
    notes = [f"{counted(bad, 'bad line')} of {path.name} left out"] if bad else []
    table = {"label": np.array(labels, np.dtypes.StringDType()), **_columns(path, ids, values, names)}
    return table, notes


def _plain(label: str) -> str:
    return label.removeprefix("+")


def _columns(
    path: Path, ids: list[list[int]], values: list[list[float]], names: Sequence[str]
) -> dict[str, np.ndarray]:
    lengths = {len(row) for row in ids}
    if all(value == 1 for row in values for value in row):
        if len(lengths) > 1:
            texts = ["|".join(map(str, row)) for row in ids]
            return {FEATURES: np.array(texts, np.dtypes.StringDType())}
        places = np.array(ids).T
        known = list(names) or [FIELD.format(place) for place in range(1, len(places) + 1)]
        if len(known) != len(places):
            raise UserError(
                f"names must give one name for each id of a row of {path}. Received: {len(known)} names, "
                f"{len(places)} ids."
            )
        return {
            name: column.astype(np.dtypes.StringDType()) for name, column in zip(known, places, strict=True)
        }
    distinct = sorted({key for row in ids for key in row})
    if len(distinct) > MOST_NUMBERS:
        raise UserError(
            f"{path} has too many ids with values other than 1: at most {MOST_NUMBERS:,} become columns of "
            f"numbers. Received: {len(distinct):,}."
        )
    columns = {key: np.zeros(len(ids)) for key in distinct}
    for place, (row, amounts) in enumerate(zip(ids, values, strict=True)):
        for key, amount in zip(row, amounts, strict=True):
            columns[key][place] = amount
    return {FEATURE.format(key): column for key, column in columns.items()}

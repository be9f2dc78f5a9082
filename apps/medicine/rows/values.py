"""From rows to the numbers that a net reads; needs NumPy alone, so that exports can take it along."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from core.errors import UserError

MISSING = ("", "?", "NA", "NaN", "nan", "null", "None")
MOST_DEVIATIONS = 4.0  # from the mean at which a number is cut off


class Scaled(NamedTuple):
    """A column, and how its values become numbers.

    A number becomes its distance from the mean in standard deviations, a choice a 1 in the place of its own;
    of what is missing all are 0, and one more tells so where training has seen it missing.
    """

    name: str
    choices: list[str]
    mean: float
    deviation: float
    can_miss: bool


def width_of(column: Scaled) -> int:
    """Return how many numbers the value of a column becomes."""
    return (len(column.choices) or 1) + column.can_miss


def numbers_of_rows(columns: Sequence[Scaled], rows: Mapping[str, Sequence[Any]]) -> np.ndarray:
    """Return rows as numbers, float32, shape `(num_rows, sum of widths)`.

    Args:
        columns: In the order of the model.
        rows: Name to a value a row: a number, a text, or none.

    Raises:
        UserError: A value is no number where it should be one.

    Example:

    >>> age = Scaled(name="age", choices=[], mean=50, deviation=10, can_miss=False)
    >>> sex = Scaled(name="sex", choices=["f", "m"], mean=0, deviation=1, can_miss=True)
    >>> numbers_of_rows([age, sex], {"age": ["60", 40], "sex": ["m", None]}).tolist()
    [[1.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 1.0]]
    """
    num_rows = len(rows[columns[0].name])
    numbers = np.zeros((num_rows, sum(map(width_of, columns))), np.float32)
    first = 0
    for column in columns:
        own = numbers[:, first : first + width_of(column)]
        for row, value in enumerate(rows[column.name]):
            _fill(own[row], column, value)
        first += width_of(column)
    return numbers


def _fill(numbers: np.ndarray, column: Scaled, value: Any) -> None:
    text = written(value)
    if text is None:
        if column.can_miss:
            numbers[-1] = 1
    elif column.choices:
        if text in column.choices:
            numbers[column.choices.index(text)] = 1
    else:
        distance = (_number(column.name, text) - column.mean) / column.deviation
        numbers[0] = np.clip(distance, -MOST_DEVIATIONS, MOST_DEVIATIONS)


def written(value: Any) -> str | None:
    """Return a value as text, none where it is missing; of equal numbers the same text.

    Example:

    >>> written(" 3.0"), written(3), written("a"), written("?")
    ('3', '3', 'a', None)
    """
    text = "" if value is None else str(value).strip()
    if text in MISSING:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.15g}" if math.isfinite(number) else text


def row_text(names: Sequence[str], values: Sequence[str]) -> str:
    """Return what a row says, by which equal rows are known.

    Example:

    >>> row_text(["age", "sex"], ["63", ""])
    'age 63; sex ?'
    """
    return "; ".join(f"{name} {value or '?'}" for name, value in zip(names, values, strict=True))


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{name} is a number, or empty where it is not known. Received: {text[:80]!r}.")
    return number


def require_known(columns: Sequence[Scaled], row: Mapping[str, Any]) -> None:
    """Refuse a row that lacks a column, or has a choice that training never saw.

    Raises:
        UserError: It does.
    """
    lacking = [column.name for column in columns if column.name not in row]
    if lacking:
        raise UserError(
            f"A row has a value for each column, empty where it is not known: {', '.join(lacking)} missing. "
            f"Received: {', '.join(map(str, row)) or 'nothing'}."
        )
    for column in columns:
        text = written(row[column.name])
        if column.choices and text is not None and text not in column.choices:
            raise UserError(
                f"{column.name} must be one of {', '.join(column.choices)}, or empty. "
                f"Received: {text[:80]!r}."
            )

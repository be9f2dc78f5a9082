"""What a net reads of a row: ids and numbers; needs NumPy alone, so that exports can take it along."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from core.errors import UserError

MISSING = ("", "?", "NA", "NaN", "nan", "null", "None", "\\N")
"""How tables write that there is no value."""
PADDING = 0  # the id in the slots that a column of several values leaves empty
BETWEEN = "\t"  # the values of a pair
LEVELS = 12  # how often a pair stood in training: never, once, 2 to 3 times, 4 to 7, ...
MISSING_CODE = -1  # in a column of buckets
UNKNOWN, NONE, FIRST = 0, 1, 2  # places of what is rare or unknown, of what is missing, of the vocabulary


class Field:
    """One column as ids: which id each of its values has among those of all columns.

    Args:
        column: `name` and `kind`, and of a kind `category` or `values` the `vocabulary`, or how many
            `buckets` hashes fall into; of a `number` the `edges` of its bins, `mean` and `scale`. Besides
            how many `slots` it has in a row, and the `separator` of its values.
        first: The first of its ids.

    Example:

    >>> field = Field({"name": "sex", "kind": "category", "vocabulary": ["f", "m"], "slots": 1}, first=1)
    >>> field.ids(["m", "", "x"]).tolist()
    [[4], [2], [1]]
    """

    def __init__(self, column: Mapping[str, Any], first: int) -> None:
        self.name, self.kind, self.slots = column["name"], column["kind"], column["slots"]
        self.buckets, self.separator = column.get("buckets", 0), column.get("separator", "|")
        self.vocabulary: Sequence[str] = column.get("vocabulary", ())
        self.edges = np.asarray(column.get("edges", ()), np.float64)
        self.mean, self.scale = column.get("mean", 0.0), column.get("scale", 1.0)
        self.first = first

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.kind == "number"

    @property
    def size(self) -> int:
        """How many ids it has."""
        if self.is_number:
            return FIRST + len(self.edges) + 1
        return FIRST + (self.buckets or len(self.vocabulary))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {value: place for place, value in enumerate(self.vocabulary, start=FIRST)}

    def place(self, text: str) -> int:
        """Return the place of one value of a column of texts among its own."""
        if not text:
            return NONE
        if self.buckets:
            return FIRST + bucket_of(text, self.buckets)
        return self._place.get(text, UNKNOWN)

    def ids(self, values: Any) -> np.ndarray:
        """Return the ids of values, int32, shape `(num_rows, slots)`.

        Args:
            values: Texts, empty where one is missing; or int32, their buckets; of numbers float64, nan where
                one is missing.
        """
        if self.is_number:
            numbers = self.numbers(values)
            places = FIRST + np.searchsorted(self.edges, numbers, side="right")
            return (self.first + np.where(np.isnan(numbers), NONE, places)).astype(np.int32)[:, None]
        if self.buckets and getattr(values, "dtype", None) == np.int32:  # hashed when they were read
            codes = np.asarray(values)
            places = np.where(codes == MISSING_CODE, NONE, FIRST + codes)
            return (self.first + places).astype(np.int32)[:, None]
        texts = self.texts(values)
        known: dict[str, Any] = {}
        if self.kind == "category":
            for text in texts:
                if text not in known:
                    known[text] = self.first + self.place(text)
            return np.fromiter((known[text] for text in texts), np.int32, len(texts))[:, None]
        ids = np.full((len(texts), self.slots), PADDING, np.int32)
        for row, text in zip(ids, texts, strict=True):
            if text not in known:
                known[text] = self._several(text)
            row[: len(known[text])] = known[text]
        return ids

    def _several(self, text: str) -> list[int]:
        values = values_of(text, self.separator)[: self.slots] or [""]
        return [self.first + self.place(value) for value in values]

    def standardised(self, values: Any) -> np.ndarray:
        """Return numbers with a mean of 0 and a deviation of 1 in training, float32, nan where missing."""
        return ((self.numbers(values) - self.mean) / self.scale).astype(np.float32)

    def numbers(self, values: Any) -> np.ndarray:
        """Return values as float64, nan where one is missing.

        Raises:
            UserError: One is no number.
        """
        values = np.asarray(values)
        if values.dtype.kind in "biuf":
            return values.astype(np.float64)
        try:
            return np.array([float(text) if text not in MISSING else np.nan for text in values.tolist()])
        except ValueError as error:
            raise UserError(f"{self.name} must be a number: {error}.") from None

    def texts(self, values: Any) -> list[str]:
        """Return values as texts, empty where one is missing."""
        listed = np.asarray(values)
        return (
            [written(value, self.separator) for value in listed.tolist()]
            if listed.dtype.kind in "biufO"
            else listed.tolist()
        )


def bucket_of(text: str, buckets: int) -> int:
    """Return the bucket that a value falls into, from 0."""
    return zlib.crc32(text.encode()) % buckets


class Pair:
    """Two columns of texts, by how often their values stood together in training.

    Args:
        pair: `name`, the two columns that it is `of`, and `counts` of their values apart by `BETWEEN`.
        first: The first of its ids.

    Example:

    >>> counts = {f"ann{BETWEEN}car": 3}
    >>> pair = Pair({"name": "who and what", "of": ["who", "what"], "counts": counts}, first=1)
    >>> pair.ids(["ann", "bob"], ["car", "car"]).tolist(), pair.ids(["ann"], ["car"], own=True).tolist()
    ([[3], [1]], [[3]])
    """

    slots, size = 1, LEVELS
    is_number = False

    def __init__(self, pair: Mapping[str, Any], first: int) -> None:
        self.name, self.of, self.counts = pair["name"], tuple(pair["of"]), pair["counts"]
        self.first = first

    def ids(self, left: Sequence[str], right: Sequence[str], *, own: bool = False) -> np.ndarray:
        """Return an id for each row, int32, shape `(num_rows, 1)`: how often in powers of two.

        Args:
            left: Texts of the first column.
            right: Of the second.
            own: The rows are those that were counted, and each does not count itself.
        """
        counts = [self.counts.get(key, 0) - own for key in map(BETWEEN.join, zip(left, right, strict=True))]
        levels = [min(max(count, 0).bit_length(), LEVELS - 1) for count in counts]
        return (self.first + np.array(levels, np.int32))[:, None]


def values_of(text: str, separator: str) -> list[str]:
    """Return the values of a column of several.

    Example:

    >>> values_of("drama| war|", "|")
    ['drama', 'war']
    """
    return [value.strip() for value in text.split(separator) if value.strip()]


def fields_of(columns: Sequence[Mapping[str, Any]]) -> list[Field]:
    """Return columns as fields whose ids lie one behind another, those of the first behind the padding."""
    fields: list[Field] = []
    first = PADDING + 1
    for column in columns:
        fields.append(Field(column, first))
        first += fields[-1].size
    return fields


def pairs_of(pairs: Sequence[Mapping[str, Any]], first: int) -> list[Pair]:
    """Return pairs of columns whose ids lie one behind another, from a first id on."""
    return [Pair(pair, first + place * LEVELS) for place, pair in enumerate(pairs)]


def features_of(
    fields: Sequence[Field], pairs: Sequence[Pair], values: Mapping[str, Any], *, own: bool = False
) -> dict[str, np.ndarray]:
    """Return what a net reads of rows.

    Args:
        fields: Of the columns.
        pairs: Of two of them each.
        values: Name of a column to its values, as `Field.ids` takes them.
        own: The rows are those of training.

    Returns:
        `ids`, int32, shape `(num_rows, num_slots)`; and, where there are numbers, `numbers`, float32, shape
        `(num_rows, num_numbers)`.
    """
    ids = [field.ids(values[field.name]) for field in fields]
    named = {field.name: field for field in fields}
    for pair in pairs:
        left, right = (named[name].texts(values[name]) for name in pair.of)
        ids.append(pair.ids(left, right, own=own))
    features = {"ids": np.concatenate(ids, axis=1)}
    numbers = [field.standardised(values[field.name]) for field in fields if field.is_number]
    return {**features, "numbers": np.stack(numbers, axis=1)} if numbers else features


def written(value: Any, separator: str = "|") -> str:
    """Return a category as tables write it: whole numbers without a point, nothing for what is missing.

    Example:

    >>> [written(value) for value in (None, 3.0, 12345678, True, " red ", "NA")]
    ['', '3', '12345678', 'true', 'red', '']
    """
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return separator.join(filter(None, map(written, value)))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        return "" if np.isnan(number) else f"{number:.0f}" if number.is_integer() else repr(number)
    text = str(value).strip()
    return "" if text in MISSING else text


def columns_of(rows: Sequence[Mapping[str, Any]], separator: str = "|") -> dict[str, np.ndarray]:
    """Return rows of raw values as columns: float64 where all are numbers, else texts.

    Args:
        rows: At least one; all have the columns of the first.
        separator: Between the values of a list.
    """
    return {name: _column([row[name] for row in rows], separator) for name in rows[0]}


def _column(values: list[Any], separator: str) -> np.ndarray:
    if all(value is None or _is_amount(value) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array([written(value, separator) for value in values], np.dtypes.StringDType())


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def require_columns(row: Mapping[str, Any], names: Sequence[str], passed_over: Sequence[str] = ()) -> None:
    """Refuse a row that lacks a column or has an unknown one.

    Args:
        row: Name to value.
        names: Of the columns that training had.
        passed_over: Further ones that are no mistake.

    Raises:
        UserError: It is so.
    """
    lacking = [name for name in names if name not in row]
    if lacking:
        raise UserError(
            f"The row lacks a column that training had: give {_listed(lacking)}, with an empty value where "
            f"it is not known. Received: {_listed(list(row)) or 'nothing'}."
        )
    unknown = [name for name in row if name not in names and name not in passed_over]
    if unknown:
        raise UserError(
            f"The row has a column that training had not: leave it out. The columns are {_listed(names)}. "
            f"Received: {_listed(unknown)}."
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown

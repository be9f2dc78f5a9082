"""A row of a table: numbers, choices and texts under names."""

from __future__ import annotations

import contextlib
import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import pydantic

from core.errors import UserError
from core.inputs.kind import Input, checked
from core.inputs.limits import Limits
from core.inputs.number import NUMERIC
from core.settings import Settings

if TYPE_CHECKING:
    from core.data.examples import Examples

MOST_CHOICES = 50  # a column of texts with more is no choice
MISSING = ("", "?", "NA", "NaN", "nan", "null", "None")


class Column(Settings):
    """One column of a row, as training saw it.

    Example:

    >>> Column(name="age", kind="number", low=29, high=77).type()
    typing.Optional[typing.Annotated[float, FieldInfo(annotation=NoneType, required=True, ...
    """

    name: str
    kind: Literal["number", "choice", "text"]
    choices: list[str] = pydantic.Field([], description="of a choice: the values that training saw")
    low: float | None = pydantic.Field(None, description="of a number: the least that training saw")
    high: float | None = pydantic.Field(None, description="of a number: the largest that training saw")
    typical: float | str | None = pydantic.Field(None, description="the median, or the commonest value")

    def type(self) -> Any:
        """Return the type of a value in JSON; none stands for a missing one."""
        if self.kind == "number":
            return Annotated[float, pydantic.Field(allow_inf_nan=False), NUMERIC] | None
        if self.kind == "choice":
            return Literal[tuple(self.choices)] | None
        return Annotated[str, pydantic.Field(max_length=10_000)] | None

    def value(self, written: Any) -> float | str | None:
        """Return a value from how it is written in a table or on a command line.

        Raises:
            UserError: It is no value of this column.
        """
        if isinstance(written, str):
            written = None if written.strip() in MISSING else written.strip()
        if self.kind == "choice" and isinstance(written, int | float) and not isinstance(written, bool):
            written = f"{written:g}"
        if self.kind == "choice" and isinstance(written, str) and written not in self.choices:
            with contextlib.suppress(ValueError):  # a choice that is a number, such as 3, written as 3.0
                written = text if (text := f"{float(written):g}") in self.choices else written
        if self.kind == "number" and isinstance(written, str):
            with contextlib.suppress(ValueError):
                written = float(written)
        return checked(self.type(), written, self.name)


def columns_of(examples: Examples, names: Sequence[str]) -> tuple[Column, ...]:
    """Return columns of text as what their values show them to be: numbers, choices, or texts.

    Args:
        examples: Of the training part, whose columns are texts or numbers.
        names: Of the columns, in the order of a row.

    Example:

    >>> from core.data.examples import Examples
    >>> [column.kind for column in columns_of(Examples({"a": ["1", "2.5"], "b": ["x", "y"]}), ["a", "b"])]
    ['number', 'choice']
    """
    return tuple(_column(name, examples[name]) for name in names)


def _column(name: str, values: np.ndarray) -> Column:
    numbers = numbers_of(values)
    if numbers is not None and np.isfinite(numbers).any():
        known = numbers[np.isfinite(numbers)]
        low, high, median = (float(each(known)) for each in (np.min, np.max, np.median))
        return Column(name=name, kind="number", low=low, high=high, typical=median)
    texts = np.array([text.strip() for text in values.tolist()], np.dtypes.StringDType())
    distinct, counts = np.unique(texts[~np.isin(texts, MISSING)], return_counts=True)
    if not len(distinct):
        return Column(name=name, kind="text")
    if len(distinct) > MOST_CHOICES:
        return Column(name=name, kind="text", typical=str(distinct[counts.argmax()])[:100])
    typical = str(distinct[counts.argmax()])
    return Column(name=name, kind="choice", choices=distinct.tolist(), typical=typical)


def numbers_of(values: np.ndarray) -> np.ndarray | None:
    """Return a column as float64 with nan for what is missing, or nothing where a value is no number.

    Example:

    >>> numbers_of(np.array(["1", "?", "2.5"])).tolist()
    [1.0, nan, 2.5]
    """
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    try:
        texts = (text.strip() for text in values.tolist())
        numbers = np.array([math.nan if text in MISSING else float(text) for text in texts], np.float64)
    except (ValueError, AttributeError):
        return None
    return None if np.isinf(numbers).any() else numbers


@dataclass(frozen=True, eq=False)
class Row(Input):
    """A row of a table with typed, named columns.

    Args:
        columns: In their order; before training there is none.

    Example:

    >>> row = Row((Column(name="age", kind="number"), Column(name="sex", kind="choice", choices=["f", "m"])))
    >>> row.typed("age=54 sex=f")
    {'age': 54.0, 'sex': 'f'}
    """

    kind: ClassVar[str] = "row"
    noun: ClassVar[str] = "row"
    described: ClassVar[str] = "A row of a table: a value under the name of each column, null for none."

    columns: tuple[Column, ...] = ()

    def type(self, limits: Limits) -> Any:
        """Return a mapping with the columns as its keys."""
        fields: dict[str, Any] = {
            f"column_{place}": (
                column.type(),
                pydantic.Field(None, alias=column.name, description=_described(column)),
            )
            for place, column in enumerate(self.columns)
        }
        return pydantic.create_model("Row", __config__=pydantic.ConfigDict(extra="forbid"), **fields)

    def examples(self) -> list[Any]:
        """Return the row of typical values, and one with nothing known."""
        return [{column.name: column.typical for column in self.columns}, {}]

    def raw(self, value: Any, limits: Limits) -> dict[str, Any]:
        """Return a value for each column, none where it is missing."""
        return value.model_dump(by_alias=True)

    def typed(self, text: str) -> dict[str, Any]:
        """Return the row that a text holds: JSON, `age=54 sex=f`, or the values in order with commas between.

        Raises:
            UserError: It is no such row.
        """
        if text.lstrip().startswith("{"):
            try:
                values = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise UserError(f"The row is no JSON: {error}. Received: {text[:80]!r}.") from None
            return self.record(values, "")
        if "=" in text:
            pairs = [pair.partition("=") for pair in next(csv.reader([text], delimiter=" ")) if pair]
            return self.record({name: value for name, _, value in pairs}, "")
        values = next(csv.reader([text]), [])
        if len(values) != len(self.columns):
            names = ",".join(column.name for column in self.columns)
            raise UserError(
                f"A row has {len(self.columns)} values, {names}; or write NAME=VALUE. "
                f"Received: {len(values)} values in {text[:80]!r}."
            )
        return self.record(dict(zip((column.name for column in self.columns), values, strict=True)), "")

    def record(self, record: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return the values of the columns; other columns, such as that of the label, are passed over."""
        known = {column.name for column in self.columns}
        if not known & set(record):
            raise UserError(
                f"A row has the columns {', '.join(sorted(known))}. Received: {', '.join(map(str, record))}."
            )
        return {column.name: column.value(record.get(column.name)) for column in self.columns}

    def shown(self, value: Mapping[str, Any]) -> str:
        """Return the values with their names."""
        return ", ".join(f"{name} {each}" for name, each in value.items())

    def settings(self) -> dict[str, Any]:
        """Return the columns."""
        return {"columns": [column.model_dump() for column in self.columns]}


def _described(column: Column) -> str:
    if column.kind == "number" and column.low is not None:
        return f"a number; training saw {column.low:g} to {column.high:g}"
    return "one of the choices" if column.kind == "choice" else "a text"

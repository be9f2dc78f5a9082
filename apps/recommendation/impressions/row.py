"""A row of named columns whose categories may be ones that training never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import pydantic

from apps.recommendation.impressions.slots import require_columns, written
from core.inputs.limits import Limits
from core.inputs.number import NUMERIC
from core.inputs.row import Column, Row

Text = Annotated[str, pydantic.Field(max_length=10_000)]
Number = Annotated[float, pydantic.Field(allow_inf_nan=False), NUMERIC]


class OpenColumn(Column):
    """A column whose categories a form lists, and of which there may be others."""

    separator: str = pydantic.Field("|", description="between several values of one row")

    def type(self) -> Any:
        """Return the type of a value in JSON; none stands for a missing one."""
        if self.kind == "number":
            return super().type()
        return Text | bool | int | Number | list[Text | int] | None

    def value(self, raw: Any) -> float | str | None:
        """Return a value from how it is written in a table or on a command line.

        Raises:
            UserError: It is no value of this column.
        """
        value = super().value(raw) if self.kind == "number" else written(raw, self.separator)
        return None if value == "" else value


@dataclass(frozen=True, eq=False)
class OpenRow(Row):
    """A row of a table that names every column it was trained on.

    Args:
        columns: In their order; before training there is none.
        passed_over: Further columns that a row may have, such as that of the clicks.
    """

    passed_over: tuple[str, ...] = ()

    def type(self, limits: Limits) -> Any:
        """Return a mapping with the columns as its keys, all of which are wanted."""
        fields: dict[str, Any] = {
            f"column_{place}": (
                column.type(),
                pydantic.Field(alias=column.name, description=_described(column)),
            )
            for place, column in enumerate(self.columns)
        }
        return pydantic.create_model("Row", __config__=pydantic.ConfigDict(extra="forbid"), **fields)

    def examples(self) -> list[Any]:
        """Return the row of typical values, and one with nothing known."""
        typical = {column.name: column.typical for column in self.columns}
        return [typical, dict.fromkeys(typical)]

    def raw(self, value: Any, limits: Limits) -> dict[str, Any]:
        """Return a value for each column, none where it is missing."""
        return self.record(value.model_dump(by_alias=True), "")

    def record(self, record: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return the values of the columns.

        Raises:
            UserError: One is missing that training had, or there is one that training had not.
        """
        require_columns(record, [column.name for column in self.columns], self.passed_over)
        return {column.name: column.value(record[column.name]) for column in self.columns}


def _described(column: Column) -> str:
    if column.kind == "number" and column.low is not None:
        return f"a number; training saw {column.low:g} to {column.high:g}"
    return "one of the choices, or another" if column.kind == "choice" else "a text"

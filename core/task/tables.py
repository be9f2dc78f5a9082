"""What every task shares whose data may be a table: how it is written, where that is not found out."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from core.data.packed import known_encoding
from core.data.tables import Form
from core.settings import Settings


class FromTables(Settings):
    """How the tables of a task are written."""

    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None, description="what stands between the fields of a table; by default found out"
    )
    encoding: Annotated[str, AfterValidator(known_encoding)] | None = Field(
        None, description="of tables and texts that are not in Unicode, such as cp1252"
    )

    @property
    def form(self) -> Form:
        """How a table is written, as the readers take it."""
        return Form(self.separator, self.encoding)

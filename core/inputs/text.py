"""A text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pydantic

from core.errors import UserError
from core.inputs.kind import Input
from core.inputs.limits import Limits


@dataclass(frozen=True, eq=False)
class Text(Input):
    """A text, typed or pasted.

    Args:
        column: Where it stands in a table that inputs are read from; by default under its own name.
        example: A text that any model of the task can answer.
        short: Another that is short, likewise.
        rows: Lines of the form's field.

    Example:

    >>> Text(column="review").record({"review": "lovely", "stars": "5"}, "text")
    'lovely'
    """

    kind: ClassVar[str] = "text"
    noun: ClassVar[str] = "text"
    described: ClassVar[str] = "A text."
    is_one_field: ClassVar[bool] = True

    column: str | None = None
    example: str = "A lovely, moving film."
    short: str = "Hm"
    rows: int = 7

    def type(self, limits: Limits) -> Any:
        """Return text of bounded length."""
        return Annotated[str, pydantic.Field(max_length=limits.characters)]

    def examples(self) -> list[Any]:
        """Return a sentence, and a word."""
        return [self.example, self.short]

    def typed(self, text: str) -> str:
        """Return the text as it is.

        Raises:
            UserError: It is not valid UTF-8.
        """
        try:
            text.encode()
        except UnicodeEncodeError:  # bytes of another encoding on the command line, or half a pair
            raise UserError(f"A text must be valid UTF-8. Received: {text!r}.") from None
        return text

    def record(self, record: Mapping[str, Any], name: str) -> str:
        """Return the text of a row: that of its column, or the only one there is."""
        wanted = self.column or name
        columns = [column for column in (wanted, name) if column in record]
        if not columns and len(record) == 1:
            columns = list(record)
        if not columns:
            raise UserError(f"There is no column {wanted!r}. Received the columns: {', '.join(record)}.")
        value = record[columns[0]]
        if not isinstance(value, str):
            raise UserError(f"A text is written in quotes. Received: {value!r}.")
        return self.typed(value)

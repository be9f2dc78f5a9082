"""What somebody has chosen, oldest first, as ids of items."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import pydantic

from core.errors import UserError
from core.inputs.kind import Choices, Input, checked
from core.inputs.limits import Limits
from core.inputs.ratings import LONGEST_ID, Id

MOST_ITEMS = 5_000  # of a history
Items = Annotated[list[Id], pydantic.Field(min_length=1, max_length=MOST_ITEMS)]


class OfItems(pydantic.BaseModel):
    """A history under its name."""

    model_config = pydantic.ConfigDict(extra="forbid")

    history: Items = pydantic.Field(description="ids of items, oldest first")


def _items(value: Any) -> Any:
    """Return the items of a mapping with the one key `history`; anything else as it is."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"history"}:
        raise ValueError('A history is a list of ids, or a mapping such as {"history": ["50", "172"]}')
    return value["history"]


AnyHistory = Annotated[Items, pydantic.BeforeValidator(_items, json_schema_input_type=Items | OfItems)]


@dataclass(frozen=True, eq=False)
class History(Input):
    """What somebody has chosen, oldest first: a list of ids, or a mapping `{"history": [...]}`.

    Args:
        known: The items of the training data, from id to how people call it.

    Example:

    >>> History().typed("50 172"), History().typed('{"history": [50, "172"]}')
    (['50', '172'], ['50', '172'])
    """

    kind: ClassVar[str] = "history"
    noun: ClassVar[str] = "history"
    described: ClassVar[str] = "Ids of items that somebody has chosen, oldest first."

    known: Mapping[str, str] = field(default_factory=dict)

    def type(self, limits: Limits) -> Any:
        """Return a list of ids, or a mapping with one."""
        return AnyHistory

    def examples(self) -> list[Any]:
        """Return a list and a mapping, of items that training saw, if there are any."""
        ids = [each for each in list(self.known)[:20] if 0 < len(each) <= LONGEST_ID][:3] or ["1"]
        return [ids, {"history": ids[:1]}]

    def raw(self, value: Any, limits: Limits) -> list[str]:
        """Return the ids without blanks around them."""
        return [item.strip() for item in value]

    def typed(self, text: str) -> list[str]:
        """Return the ids of a text: JSON, or ids with blanks or commas between them.

        Raises:
            UserError: It is no history, or an empty one.
        """
        value: Any = [item for item in re.split(r"[\s,]+", text) if item]
        if text.lstrip().startswith(("{", "[")):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise UserError(
                    f'A history is JSON such as {{"history": ["50", "172"]}}, or ids with blanks between '
                    f"them: {error}. Received: {text[:80]!r}."
                ) from None
        return self.raw(checked(self.type(Limits()), value, self.noun), Limits())

    def shown(self, value: list[str]) -> str:
        """Return the items as people call them, oldest first."""
        return "; ".join(self.known.get(item, item) for item in value)

    def choices(self) -> Choices:
        """Return the items that training saw."""
        return {"item": self.known}

"""One of some values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from core.inputs.kind import Input, checked
from core.inputs.limits import Limits


@dataclass(frozen=True, eq=False)
class Choice(Input):
    """One of some values, such as the language to translate into.

    Args:
        values: From which one is chosen, at least one.

    Example:

    >>> Choice(("German", "French")).typed("French")
    'French'
    """

    kind: ClassVar[str] = "choice"
    noun: ClassVar[str] = "choice"
    described: ClassVar[str] = "One of some values."
    is_one_field: ClassVar[bool] = True

    values: tuple[str, ...]

    def type(self, limits: Limits) -> Any:
        """Return one of the values."""
        return Literal[self.values]

    def examples(self) -> list[Any]:
        """Return the first value."""
        return [self.values[0]]

    def typed(self, text: str) -> str:
        """Return the value that a text names.

        Raises:
            UserError: It is none of them.
        """
        return checked(self.type(Limits()), text.strip(), self.noun)

    def settings(self) -> dict[str, Any]:
        """Return the values."""
        return {"values": list(self.values)}

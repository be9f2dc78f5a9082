"""A number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pydantic

from core.errors import UserError
from core.inputs.kind import Input, checked
from core.inputs.limits import Limits


def _numeric(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("A number is wanted")
    return value


NUMERIC = pydantic.BeforeValidator(_numeric)
"""Refuses texts that spell a number, and truth values, which Pydantic would take for one."""


@dataclass(frozen=True, eq=False)
class Number(Input):
    """A number within bounds, such as a seed.

    Args:
        low: The least, -inf for none.
        high: The largest, inf for none.
        whole: Whether it has no fraction.
        example: One that any model of the task can answer.

    Example:

    >>> Number(0, 9, whole=True).typed("7")
    7
    """

    kind: ClassVar[str] = "number"
    noun: ClassVar[str] = "number"
    described: ClassVar[str] = "A number."
    is_one_field: ClassVar[bool] = True

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    example: float = 1

    def type(self, limits: Limits) -> Any:
        """Return a number within the bounds."""
        bounds: dict[str, Any] = {
            name: int(bound) if self.whole else bound
            for name, bound in (("ge", self.low), ("le", self.high))
            if math.isfinite(bound)
        }
        if self.whole:
            return Annotated[int, pydantic.Field(**bounds), NUMERIC]
        return Annotated[float, pydantic.Field(allow_inf_nan=False, **bounds), NUMERIC]

    def examples(self) -> list[Any]:
        """Return the example."""
        return [int(self.example) if self.whole else self.example]

    def typed(self, text: str) -> float:
        """Return the number that a text spells.

        Raises:
            UserError: It spells none, or one beyond the bounds.
        """
        try:
            value = float(text)
        except ValueError:
            raise UserError(f"A number is wanted. Received: {text!r}.") from None
        return checked(self.type(Limits()), value, self.noun)

    def settings(self) -> dict[str, Any]:
        """Return the bounds and the step."""
        return {
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "step": 1 if self.whole else "any",
            "example": self.examples()[0],
        }

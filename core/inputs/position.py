"""The position of a game."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pydantic

from core.inputs.kind import Input, checked
from core.inputs.limits import Limits

LONGEST = 10_000  # characters; the longest game of chess on record takes fewer


@dataclass(frozen=True, eq=False)
class Position(Input):
    """A position of a board game: the moves that led to it from the start, or its description.

    What stands for a move is for the task to say, such as `e2e4 e7e5` in chess; a description of a position
    of chess is in Forsyth-Edwards notation.

    Args:
        example: A position that any model of the task can answer.
    """

    kind: ClassVar[str] = "position"
    noun: ClassVar[str] = "position"
    described: ClassVar[str] = "The moves of a game so far, apart by blanks; or a position as text."

    example: str = "e2e4 e7e5"

    def type(self, limits: Limits) -> Any:
        """Return text of printable ASCII."""
        return Annotated[str, pydantic.Field(max_length=LONGEST, pattern=r"^[\x20-\x7e]*$")]

    def examples(self) -> list[Any]:
        """Return the start of a game, and the position of the example."""
        return ["", self.example]

    def typed(self, text: str) -> str:
        """Return the position without blanks around it.

        Raises:
            UserError: It is no text of a position.
        """
        return checked(self.type(Limits()), text.strip(), self.noun)

"""The turns of a dialogue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import pydantic

from core.errors import UserError
from core.inputs.kind import Input, checked
from core.inputs.limits import Limits


@dataclass(frozen=True, eq=False)
class Turns(Input):
    """A dialogue so far, the last turn of which is answered.

    A turn is a mapping with a `role`, `user`, `assistant` or `system`, and a `text`; a text alone is the
    first turn of a user.

    Example:

    >>> Turns().typed("Good morning")
    [{'role': 'user', 'text': 'Good morning'}]
    """

    kind: ClassVar[str] = "turns"
    noun: ClassVar[str] = "dialogue"
    described: ClassVar[str] = "The turns of a dialogue; the answer is the next one."

    def type(self, limits: Limits) -> Any:
        """Return a list of turns, the last of which is not the assistant's."""
        fields: dict[str, Any] = {
            "role": (Literal["system", "user", "assistant"], ...),
            "text": (Annotated[str, pydantic.Field(max_length=limits.characters)], ...),
        }
        forbidding = pydantic.ConfigDict(extra="forbid")
        turn: Any = pydantic.create_model("Turn", __config__=forbidding, **fields)
        turns = Annotated[list[turn], pydantic.Field(min_length=1, max_length=limits.turns)]
        return Annotated[turns, pydantic.BeforeValidator(_of_text), pydantic.AfterValidator(_answerable)]

    def examples(self) -> list[Any]:
        """Return a dialogue of one turn, and one of three."""
        first = {"role": "user", "text": "Hello"}
        more = [{"role": "assistant", "text": "Hello!"}, {"role": "user", "text": "How are you?"}]
        return [[first], [first, *more]]

    def raw(self, value: Any, limits: Limits) -> list[dict[str, str]]:
        """Return the turns as mappings."""
        return [turn.model_dump() for turn in value]

    def typed(self, text: str) -> list[dict[str, str]]:
        """Return the turns that a text holds as JSON; any other text is a turn of a user.

        Raises:
            UserError: It is JSON, and no dialogue.
        """
        value: Any = text
        if text.lstrip().startswith("["):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise UserError(f"The dialogue is no JSON: {error}. Received: {text[:80]!r}.") from None
        return self.raw(checked(self.type(Limits()), value, self.noun), Limits())

    def shown(self, value: list[dict[str, str]]) -> str:
        """Return the turns one under another."""
        return "\n".join(f"{turn['role']}: {turn['text']}" for turn in value)


def _of_text(value: Any) -> Any:
    return [{"role": "user", "text": value}] if isinstance(value, str) else value


def _answerable(turns: list[Any]) -> list[Any]:
    if turns[-1].role == "assistant":
        raise ValueError("The last turn is the assistant's already: add one of the user")
    return turns

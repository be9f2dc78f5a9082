"""Several inputs that belong together, such as a question and its context."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pydantic

from core.errors import UserError
from core.inputs.kind import Choices, Input
from core.inputs.limits import Limits


@dataclass(frozen=True, eq=False)
class Several(Input):
    """A mapping from names to inputs of kinds of their own.

    Args:
        parts: The kinds by their names, two at least.

    Example:

    >>> from core.inputs.text import Text
    >>> Several({"question": Text(), "context": Text()}).typed('{"question": "Who?", "context": "Ann."}')
    {'question': 'Who?', 'context': 'Ann.'}
    """

    kind: ClassVar[str] = "several"
    noun: ClassVar[str] = "input"
    described: ClassVar[str] = "A mapping with an input under each name."

    parts: Mapping[str, Input]

    def type(self, limits: Limits) -> Any:
        """Return a mapping with the names as its keys."""
        fields: dict[str, Any] = {
            f"part_{place}": (part.type(limits), pydantic.Field(alias=name, description=part.described))
            for place, (name, part) in enumerate(self.parts.items())
        }
        config = pydantic.ConfigDict(extra="forbid", val_json_bytes="base64")
        return pydantic.create_model("Several", __config__=config, **fields)

    def examples(self) -> list[Any]:
        """Return as many as the part with most examples has; those of the others begin anew."""
        each = {name: part.examples() for name, part in self.parts.items()}
        count = max(map(len, each.values()))
        return [
            {name: examples[place % len(examples)] for name, examples in each.items()}
            for place in range(count)
        ]

    def raw(self, value: Any, limits: Limits) -> dict[str, Any]:
        """Return the parts by their names, each as its kind is predicted from."""
        values = (getattr(value, field) for field in type(value).model_fields)
        return {
            name: part.raw(each, limits)
            for (name, part), each in zip(self.parts.items(), values, strict=True)
        }

    def typed(self, text: str) -> dict[str, Any]:
        """Return the parts of a mapping that is written as JSON.

        Raises:
            UserError: It is no JSON, or a part is missing or wrong.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            wanted = json.dumps(dict.fromkeys(self.parts, "..."))
            raise UserError(f"An input is JSON such as {wanted}. Received: {text[:80]!r}.")
        return self.record(values, "")

    def record(self, record: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Return the parts of a row: a column for each name.

        Raises:
            UserError: A part is missing or wrong.
        """
        missing = [part for part in self.parts if part not in record]
        if len(record) == 1 and missing:  # a part that takes the only column would take another's
            raise UserError(
                f"There is no column {missing[0]!r}. Received the columns: {', '.join(map(str, record))}."
            )
        return {name: part.record(record, name) for name, part in self.parts.items()}

    def shown(self, value: Mapping[str, Any]) -> Any:
        """Return the parts one under another."""
        return "\n".join(f"{name}: {part.shown(value[name])}" for name, part in self.parts.items())

    def choices(self) -> Choices:
        """Return what all parts may name."""
        return {field: names for part in self.parts.values() for field, names in part.choices().items()}


def joined(inputs: Mapping[str, Input]) -> tuple[str, Input]:
    """Return the inputs of a task as one, and its name: the only one, or all of them together.

    Args:
        inputs: What `Task.inputs` returned, at least one.
    """
    if len(inputs) == 1:
        [(name, kind)] = inputs.items()
        return name, kind
    return "input", Several(inputs)

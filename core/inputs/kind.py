"""What a task takes: a kind of input, which knows how it is typed, sent, uploaded, bounded and shown."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pydantic

from core.errors import UserError
from core.inputs.limits import Limits

TAG = "about "  # begins what tells variants of an input apart, which stands in errors and in no body
Choices = Mapping[str, Mapping[str, str]]
"""What an input may name, such as users and items: field to id to how people call it."""


@dataclass(frozen=True, eq=False)
class Input(ABC):
    """One kind of raw input.

    A kind is one subclass. Beside its module lie `<kind>.html`, the form of the page, and `<kind>.js`, which
    reads what stands in it.
    """

    kind: ClassVar[str]
    """The name by which the page and its files know it."""
    noun: ClassVar[str]
    """How people call one."""
    described: ClassVar[str]
    """What one is, for the documents of a server."""
    is_file: ClassVar[bool] = False
    """Whether it is a file, which may also be uploaded as a form."""
    is_one_field: ClassVar[bool] = False
    """Whether its form is one field, which the name of the input labels."""

    @abstractmethod
    def type(self, limits: Limits) -> Any:
        """Return the type of one input in JSON, for Pydantic."""

    @abstractmethod
    def examples(self) -> list[Any]:
        """Return inputs in JSON that any task of the kind can answer; a model is warmed up with them."""

    def raw(self, value: Any, limits: Limits) -> Any:
        """Return what `Task.predict` takes, from a value that Pydantic has checked.

        Args:
            value: Of `type`; of a file its content, bytes.
            limits: On what it may cost to read it.

        Raises:
            UserError: A file can't be read.
        """
        return value

    def typed(self, text: str) -> Any:
        """Return what `Task.predict` takes, from a word of a command line or a line of a file.

        Raises:
            UserError: It is no such input.
        """
        return text

    def record(self, record: Mapping[str, Any], name: str) -> Any:
        """Return what `Task.predict` takes, from the row of a table or a line of JSON.

        Args:
            record: Column to value; text in tables.
            name: Of the input, which is the column it stands in where a kind has no column of its own.

        Raises:
            UserError: The column is missing, or the value is no such input.
        """
        if name not in record:
            raise UserError(f"There is no column {name!r}. Received the columns: {', '.join(record)}.")
        value = record[name]
        if isinstance(value, str):
            return self.typed(value)
        limits = Limits()
        return self.raw(checked(self.type(limits), value, self.noun), limits)

    def shown(self, value: Any) -> Any:
        """Return an input as a page shows it: text, number, picture or sound."""
        return value

    def settings(self) -> Mapping[str, Any]:
        """Return what the form of the page needs to know, as JSON."""
        return {}

    def choices(self) -> Choices:
        """Return what an input may name, for a form to suggest."""
        return {}

    @classmethod
    def file(cls, suffix: str) -> Path:
        """Return the file of the kind with a suffix, such as `.html`: beside its module, or its parent's."""
        paths = [
            Path(inspect.getfile(each)).with_name(f"{each.kind}{suffix}")
            for each in cls.__mro__
            if issubclass(each, Input) and each is not Input
        ]
        return next((path for path in paths if path.is_file()), paths[0])


def checked(type_: Any, value: Any, noun: str) -> Any:
    """Return a value as its Pydantic type, with an error of one line where it is none.

    Args:
        type_: What it has to be.
        value: As it was read.
        noun: How people call one, for the message.

    Raises:
        UserError: It is no such value.
    """
    try:
        return pydantic.TypeAdapter(type_).validate_python(value)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"] if not str(part).startswith(TAG))
        wish = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise UserError(
            f"The {noun} is wrong{f' at {place}' if place else ''}: {wish}. Received: {first['input']!r}."
        ) from None

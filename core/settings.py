"""Typed settings: frozen classes, YAML, dotted overrides, and refusals that name the nearest right key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from core.errors import UserError

# That of libyaml, where there is one, reads the same ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Settings(pydantic.BaseModel):
    """A frozen set of typed fields that refuses what it does not know.

    Example:

    >>> class Net(Settings):
    ...     dropout: float = pydantic.Field(0.3, ge=0, lt=1, description="share of units dropped")
    >>> Net(dropout="1e-1").dropout
    0.1
    """

    model_config = pydantic.ConfigDict(
        frozen=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        validate_default=True,
        protected_namespaces=(),
        allow_inf_nan=False,
    )


AnySettings = TypeVar("AnySettings", bound=Settings)


def validated(cls: type[AnySettings], values: Mapping[str, Any], where: str) -> AnySettings:
    """Make settings from a mapping, with an error of one line for whatever does not fit.

    Args:
        cls: The settings class.
        values: Field names to values, as a YAML file or a command line gives them.
        where: The dotted path of these settings in the experiment, for the message; may be empty.

    Raises:
        UserError: A key is unknown or a value is of the wrong type or out of range.

    Example:

    >>> class Net(Settings):
    ...     dropout: float = 0.3
    >>> validated(Net, {"droput": 0.1}, "task")
    Traceback (most recent call last):
    core.errors.UserError: Unknown key task.droput. Did you mean task.dropout?
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{where or 'The configuration'} must be keys and values. Received: {values!r}.")
    try:
        return cls.model_validate(dict(values))
    except pydantic.ValidationError as error:
        raise UserError(_first_line(error, cls, where)) from None


def _first_line(error: pydantic.ValidationError, cls: type[Settings], where: str) -> str:
    problems = error.errors(include_url=False)
    first = problems[0]
    path = [*([where] if where else []), *(str(part) for part in first["loc"])]
    more = f" ({len(problems) - 1} more like it.)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        return unknown_key(path[-1], cls.model_fields, ".".join(path[:-1])) + more
    if first["type"] == "missing":
        return f"{'.'.join(path)} is missing: give it a value.{more}"
    wish = first["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return f"{'.'.join(path)} {wish}. Received: {first['input']!r}.{more}"


def unknown_key(key: str, known: Iterable[str], where: str = "") -> str:
    """Return the message that refuses a key and names the nearest right one, or all where none is near."""
    known = sorted(known)
    prefix = f"{where}." if where else ""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"Did you mean {prefix}{near[0]}?" if near else f"Known keys: {', '.join(known)}."
    return f"Unknown key {prefix}{key}. {hint}"


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; an empty file is an empty mapping.

    Raises:
        UserError: The file is missing, unreadable, not YAML or not a mapping.
    """
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except FileNotFoundError:
        raise UserError(f"No such file: {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read as a YAML file: {error}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', error)}.") from None
    # What PyYAML raises at a date that is none, a number of thousands of digits, brackets by the thousand.
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: not valid YAML: {str(error).rstrip('.')}.") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise UserError(f"{path} must hold keys and values. Received: {type(tree).__name__}.")
    return tree


def parsed_override(text: str) -> tuple[list[str], Any]:
    """Split `fit.epochs=3` into its path and its typed value.

    Raises:
        UserError: There is no `=`, or nothing before it.

    Example:

    >>> parsed_override("fit.epochs=3")
    (['fit', 'epochs'], 3)
    >>> parsed_override("data=tfds:glue/sst2")
    (['data'], 'tfds:glue/sst2')
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UserError(f"An override is written key=value, such as fit.epochs=3. Received: {text!r}.")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        parsed = value
    # All but numbers, truth values and bracketed nests is text, kept as typed: '#' and ': ' may be in a path.
    typed = parsed is None or isinstance(parsed, int | float) or value.lstrip().startswith(("[", "{"))
    return key.strip().split("."), parsed if typed else value


def with_override(tree: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """Return the nested mapping with one value set; the original is left as it was."""
    changed = dict(tree)
    if len(path) == 1:
        changed[path[0]] = value
        return changed
    below = tree.get(path[0])
    if below is not None and not isinstance(below, Mapping):
        raise UserError(f"{path[0]} is a value and has no key {path[1]!r}. Received: {below!r}.")
    changed[path[0]] = with_override(below or {}, path[1:], value)
    return changed

"""Typed settings: frozen classes, YAML, dotted overrides, and refusals that name the nearest right key."""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from core.dotted import Kinds, default_below, is_place, keys_of, kinds_below, own_key
from core.errors import UserError
from core.yaml_files import LARGEST, parsed_yaml, to_yaml

__all__ = [
    "Settings",
    "parsed_override",
    "read_yaml",
    "require_path",
    "shown",
    "to_yaml",
    "unknown_key",
    "validated",
    "with_override",
]

LONGEST_SHOWN = 120  # characters of a value in a message


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
        raise UserError(f"{where or 'The configuration'} must be keys and values. Received: {shown(values)}.")
    for key in values:
        if not isinstance(key, str):
            raise UserError(
                f"{where or 'The configuration'} has a key that is no text. Received: {shown(key)}."
            )
    try:
        return cls.model_validate(dict(values))
    except pydantic.ValidationError as error:
        raise UserError(_first_line(error, cls, where)) from None


def shown(value: Any) -> str:
    """Return a value as a message shows it: on one line, and no longer than that takes.

    Example:

    >>> shown({"epochs": "many"}), len(shown("x" * 10**6)), shown([[[[[[[[1]]]]]]]])
    ("{'epochs': 'many'}", 120, '[[[[...]]]]')
    """
    bounded = reprlib.Repr()
    bounded.maxlevel, bounded.maxdict, bounded.maxlist = 4, 6, 8
    bounded.maxstring = bounded.maxother = LONGEST_SHOWN
    try:
        text = bounded.repr(value)
    except ValueError:  # of a whole number with thousands of digits
        text = type(value).__name__
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


# The member of a union that a value was taken for.
_MEMBER = re.compile(r"constrained-\w+|literal\[.*\]")


def _first_line(error: pydantic.ValidationError, cls: type[Settings], where: str) -> str:
    problems = _without_words(error.errors(include_url=False))
    first = problems[0]
    location = [part for part in first["loc"] if not _MEMBER.fullmatch(str(part))]
    path = [*([where] if where else []), *(str(part)[:LONGEST_SHOWN] for part in location)]
    more = f" ({len(problems) - 1} more like it.)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = keys_of(_kinds_at_location((cls,), first["loc"][:-1]))
        return unknown_key(path[-1], known or cls.model_fields, ".".join(path[:-1])) + more
    if first["type"] == "missing":
        return f"{'.'.join(path)} is missing: give it a value.{more}"
    wish = first["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return f"{'.'.join(path)} {wish}. Received: {shown(first['input'])}.{more}"


def _without_words(problems: list[Any]) -> list[Any]:
    """Return problems, of a field that is a number or a word such as `auto` that of the number alone."""
    numbers = {each["loc"][:-1] for each in problems if str(each["loc"][-1:]).count("constrained-")}
    return [each for each in problems if each["type"] != "literal_error" or each["loc"][:-1] not in numbers]


def _kinds_at_location(kinds: Kinds, location: Sequence[int | str]) -> Kinds:
    """Return what may stand where an error is, whose location also names the member of a union."""
    for part in location:
        members = tuple(kind for kind in kinds if getattr(kind, "__name__", None) == part)
        kinds = members or kinds_below(kinds, str(part))
    return kinds


def unknown_key(key: str, known: Iterable[str], where: str = "") -> str:
    """Return the message that refuses a key and names the nearest right one, or all where none is near."""
    known = sorted(known)
    key = str(key)[:LONGEST_SHOWN].replace("\n", " ")
    prefix = f"{where}." if where else ""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"Did you mean {prefix}{near[0]}?" if near else f"Known keys: {', '.join(known)}."
    return f"Unknown key {prefix}{key}. {hint}"


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; an empty file is an empty mapping.

    Raises:
        UserError: The file is missing, unreadable, too large, not YAML or not a mapping; its content
            is not shown.
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"{path} is no file. Received: {'a folder' if path.is_dir() else 'a device'}.")
        with path.open(encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise UserError(f"{path} is too large for a configuration: more than {LARGEST:,} characters.")
        tree = parsed_yaml(text)
    except FileNotFoundError:
        raise UserError(f"No such file: {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or error
        raise UserError(f"{path} can't be read as a YAML file: {reason}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        raise UserError(f"{path}{line}: not valid YAML: {problem}.") from None
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
        raise UserError(f"An override is written key=value, such as fit.epochs=3. Received: {shown(text)}.")
    try:
        parsed = parsed_yaml(value)
    except yaml.YAMLError:
        parsed = value
    # All but numbers, truth values and bracketed nests is text, kept as typed: '#' and ': ' may be in a path.
    typed = parsed is None or isinstance(parsed, int | float) or value.lstrip().startswith(("[", "{"))
    return key.strip().split("."), parsed if typed else value


def with_override(
    tree: Mapping[str, Any],
    path: Sequence[str],
    value: Any,
    cls: type[Settings] | None = None,
    where: str = "",
) -> dict[str, Any]:
    """Return the nested mapping with one value set; the original is left as it was.

    Args:
        tree: Mappings and lists in each other, as a YAML file has them.
        path: Keys, and places in lists counted from 0.
        value: What is set.
        cls: The settings that the tree describes: what it leaves out has the defaults of its field.
        where: The dotted path of the tree, for messages; may be empty.

    Raises:
        UserError: The path leads through a plain value, or beyond the end of a list.

    Example:

    >>> with_override({"layers": [{"width": 8}, {"width": 8}]}, ["layers", "1", "width"], 4)
    {'layers': [{'width': 8}, {'width': 4}]}
    """
    above = where.split(".") if where else []
    changed: dict[str, Any] = _set(dict(tree), list(path), value, (cls,) if cls else (), above)
    return changed


def _set(tree: Any, path: list[str], value: Any, kinds: Kinds, above: list[str]) -> Any:
    if not path:
        return value
    key, where = path[0], ".".join(above)
    deeper = (path[1:], value, kinds_below(kinds, key), [*above, key])
    if isinstance(tree, Mapping):
        own = own_key(tree, key)
        below = tree[own] if own in tree else default_below(kinds, key)
        return {**tree, own: _set({} if below is None else below, *deeper)}
    if isinstance(tree, list | tuple):
        if not is_place(key) or int(key) >= len(tree):
            raise UserError(
                f"{where} is a list of {len(tree)}, whose places count from 0. Received: {where}.{key}."
            )
        place = int(key)
        return [*tree[:place], _set(tree[place], *deeper), *tree[place + 1 :]]
    raise UserError(f"{where} is a value and has no key {key!r}. Received: {shown(tree)}.")


def require_path(kinds: Kinds, path: Sequence[str], where: str) -> None:
    """Make sure that there is a field at a path.

    Args:
        kinds: Of the settings in which it begins.
        path: Keys, and places in lists.
        where: The dotted path of these settings, for the message.

    Raises:
        UserError: There is none; the message names the nearest key at the first step that leads nowhere.
    """
    for key in path:
        below = kinds_below(kinds, key)
        if not below and keys_of(kinds):
            raise UserError(unknown_key(key, keys_of(kinds), where))
        if not below:
            raise UserError(f"{where} has no keys. Received: {where}.{key}.")
        kinds, where = below, f"{where}.{key}"

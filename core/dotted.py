"""Where a dotted path such as `fit.privacy.noise` leads: into settings, mappings, and lists by place."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic
from pydantic_core import PydanticUndefined, to_jsonable_python

Kinds = tuple[Any, ...]
"""What a field may hold: the members of its union, without `None`."""


def kinds_of(annotation: Any) -> Kinds:
    """Return what a field of this annotation may hold.

    Example:

    >>> kinds_of(int | list[str] | None)
    (<class 'int'>, list[str])
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        return kinds_of(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(kind for member in get_args(annotation) for kind in kinds_of(member))
    return () if annotation in (None, type(None)) else (annotation,)


def kinds_below(kinds: Kinds, key: str) -> Kinds:
    """Return what may stand under a key, or at a place, of what is of these kinds.

    Example:

    >>> kinds_below((list[float], dict[str, int]), "0")
    (<class 'float'>, <class 'int'>)
    """
    return tuple(each for kind in kinds for each in _below(kind, key))


def kinds_at(kinds: Kinds, path: Iterable[str]) -> Kinds:
    """Return what may stand at the end of a path; nothing where it leads nowhere."""
    for key in path:
        kinds = kinds_below(kinds, key)
    return kinds


def _below(kind: Any, key: str) -> Kinds:
    if kind is Any:
        return (Any,)
    if is_model(kind):
        return kinds_of(kind.model_fields[key].annotation) if key in kind.model_fields else ()
    origin, members = get_origin(kind) or kind, get_args(kind)
    if not isinstance(origin, type) or origin is Literal or issubclass(origin, str | bytes):
        return ()
    if issubclass(origin, Mapping):
        return kinds_of(members[1]) if members else (Any,)
    if issubclass(origin, Sequence) and is_place(key):
        if origin is tuple and members and members[-1] is not Ellipsis:
            return kinds_of(members[int(key)]) if int(key) < len(members) else ()
        return kinds_of(members[0]) if members else (Any,)
    return ()


def is_model(kind: Any) -> bool:
    """Return whether a kind is a class of settings."""
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def is_place(key: str) -> bool:
    """Return whether a key can be the place of an item of a list, counted from 0."""
    return key.isascii() and key.isdigit()


def keys_of(kinds: Kinds) -> list[str]:
    """Return the names of the fields that settings of these kinds have."""
    return [name for kind in kinds if is_model(kind) for name in kind.model_fields]


def default_below(kinds: Kinds, key: str) -> Any:
    """Return the default of a field as plain values; nothing where it has none."""
    for kind in kinds:
        if is_model(kind) and key in kind.model_fields:
            default = kind.model_fields[key].get_default(call_default_factory=True, validated_data={})
            return None if default is PydanticUndefined else to_jsonable_python(default)
    return None


def value_below(value: Any, key: str) -> Any:
    """Return what a value has under a key or at a place; nothing below nothing.

    Raises:
        KeyError: There is none.
    """
    if value is None:
        return None
    if isinstance(value, pydantic.BaseModel) and key in type(value).model_fields:
        return getattr(value, key)
    if isinstance(value, Mapping):
        return value[own_key(value, key)]
    if isinstance(value, list | tuple) and is_place(key) and int(key) < len(value):
        return value[int(key)]
    raise KeyError(key)


def own_key(mapping: Mapping[Any, Any], key: str) -> Any:
    """Return the key of a mapping that is written so: keys may be numbers."""
    return next((each for each in mapping if str(each) == key), key)

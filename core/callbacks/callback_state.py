"""What callbacks have changed in themselves since training began."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from core.callbacks.state_file import StateError, pack

Attributes = dict[str, Any]


def storable_attributes(callback: keras.callbacks.Callback) -> Attributes:
    """Return the attributes that a state file can hold, as they are now."""
    return {
        name: _copy(value)
        for name, value in vars(callback).items()
        if name not in {"_model", "params"} and _packed(value) is not None
    }


def changed_attributes(callback: keras.callbacks.Callback, before: Attributes) -> Attributes:
    """Return the attributes that differ from those that `storable_attributes` returned earlier.

    What a callback was constructed with is not among them, so a new patience or path holds after a
    resume.
    """
    return {
        name: value
        for name, value in storable_attributes(callback).items()
        if name not in before or not _alike(value, before[name])
    }


def restore_attributes(
    callbacks: Iterable[keras.callbacks.Callback], saved: Sequence[tuple[str, Attributes]]
) -> None:
    """Set attributes, given as (class name, attributes), on the callbacks of these classes in order.

    Raises:
        StateError: If a callback with saved attributes is missing.
    """
    waiting = list(saved)
    for callback in callbacks:
        name = type(callback).__name__
        place = next((place for place, (saved_name, _) in enumerate(waiting) if saved_name == name), None)
        if place is not None:
            for attribute, value in waiting.pop(place)[1].items():
                setattr(callback, attribute, value)
    missing = [name for name, attributes in waiting if attributes]
    if missing:
        received = ", ".join(type(callback).__name__ for callback in callbacks) or "none"
        raise StateError(
            f"The checkpoint has state for callbacks that are not in the list: {', '.join(missing)}. "
            f"Pass the callbacks that it was written with. Received: {received}."
        )


def _packed(value: Any) -> tuple[str, list[np.ndarray]] | None:
    arrays: list[np.ndarray] = []
    try:
        return json.dumps(pack(value, arrays)), arrays
    except TypeError:
        return None


def _alike(value: Any, other: Any) -> bool:
    packed, other_packed = _packed(value), _packed(other)
    if packed is None or other_packed is None:
        return packed is other_packed
    return packed[0] == other_packed[0] and all(map(np.array_equal, packed[1], other_packed[1]))


def _copy(value: Any) -> Any:
    """Copy containers, which callbacks change in place, but not arrays, which they replace."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return type(value)(map(_copy, value)) if type(value) in (list, tuple) else value

"""Numbers in messages and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def agreeing(count: int, one: str, many: str = "") -> str:
    """Return the words for one of a thing, or those for any other number.

    Args:
        count: Of things.
        one: Words for one.
        many: Words for more or none; by default those for one with an s.

    Example:

    >>> agreeing(1, "text is empty", "texts are empty")
    'text is empty'
    """
    return one if count == 1 else many or f"{one}s"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number and the words that go with it, as `agreeing` chooses them.

    Example:

    >>> counted(1, "bad line"), counted(2, "bad line")
    ('1 bad line', '2 bad lines')
    """
    return f"{count} {agreeing(count, one, many)}"


def number(value: Any) -> str:
    """Return a figure as tables show it."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return f"{value['mean']:.4f} ± {value['std']:.4f}"
    if isinstance(value, float) and not (value.is_integer() and abs(value) > 1):
        return f"{value:.4f}"
    return f"{value:.0f}"

"""A history as somebody gives it; needs nothing but Python, so that exports take it along."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from numbers import Integral
from typing import Any

from core.errors import UserError

SHOWN = 3  # unknown ids that a message names


def history_of(value: Any) -> list[str]:
    """Return the raw ids of a history: a list, a mapping `{"history": [...]}`, either as JSON, or plain text.

    Raises:
        UserError: It is none of these, holds what is no id, or is empty.

    Example:

    >>> history_of({"history": [50, "172"]}), history_of("50, 172"), history_of("50 172")
    (['50', '172'], ['50', '172'], ['50', '172'])
    """
    if isinstance(value, str):
        value = _of_text(value)
    if isinstance(value, dict):
        if set(value) != {"history"}:
            raise UserError(
                'A history is a mapping such as {"history": ["50", "172"]}. '
                f"Received the keys: {', '.join(map(str, value))}."
            )
        value = value["history"]
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UserError(f"A history is a list of the ids of items, oldest first. Received: {value!r}.")
    if not value:
        raise UserError("A history needs one item at least. Received: none.")
    return [_id(item) for item in value]


def _of_text(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return [item for item in re.split(r"[\s,]+", text) if item]
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f'A history is JSON such as {{"history": ["50", "172"]}}, or ids with blanks between: {error}. '
            f"Received: {text[:80]!r}."
        ) from None


def _id(item: Any) -> str:
    if isinstance(item, float) and item.is_integer():
        item = int(item)
    if isinstance(item, str | Integral) and not isinstance(item, bool) and str(item).strip():
        return str(item).strip()
    raise UserError(f"Ids of items are texts or whole numbers. Received: {item!r}.")


def note_of_unknown(history: Sequence[str], unknown: Sequence[str]) -> str:
    """Return what to say of the items of a history that training never saw; nothing where it saw all.

    Raises:
        UserError: It saw none.

    Example:

    >>> note_of_unknown(["a", "b", "c"], ["b"])
    'training never saw 1 of these 3 items: b'
    """
    if not unknown:
        return ""
    named = ", ".join([*unknown[:SHOWN], *(["..."] if len(unknown) > SHOWN else [])])
    if len(unknown) == len(history):
        raise UserError(
            "Training never saw any item of this history: a history needs one known item at least. "
            f"Received: {named}."
        )
    return f"training never saw {len(unknown)} of these {len(history)} items: {named}"

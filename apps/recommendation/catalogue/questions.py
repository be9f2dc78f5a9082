"""What somebody asks a recommender; needs nothing but Python, so that exports take it along."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from core.errors import UserError


@dataclass(frozen=True)
class Question:
    """What somebody wants to know: items for a user, or what the user will think of an item.

    Args:
        user: Raw id; empty where ratings are given instead.
        item: Raw id, or nothing where items are wanted.
        ratings: Of somebody whom training need not know: raw ids of items to ratings.
    """

    user: str = ""
    item: str | None = None
    ratings: Mapping[str, float] | None = None


def question(value: Any) -> Question:
    """Return what a raw input asks: a user id; or a mapping, maybe as JSON text, with a user or ratings.

    Raises:
        UserError: It is neither.

    Example:

    >>> question('{"user": 196, "item": 50}')
    Question(user='196', item='50', ratings=None)
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise UserError(f'A pair must be JSON, such as {{"user": "1", "item": "2"}}: {error}.') from None
    if isinstance(value, dict):
        if ("user" in value) == ("ratings" in value) or not set(value) <= {"user", "item", "ratings"}:
            raise UserError(
                "A question has either a user or ratings, and may have an item. "
                f"Received the keys: {', '.join(value)}."
            )
        ratings = _ratings(value["ratings"]) if "ratings" in value else None
        return Question(str(value.get("user", "")), str(value["item"]) if "item" in value else None, ratings)
    if isinstance(value, str | Integral) and str(value).strip():
        return Question(str(value).strip())
    raise UserError(f"A question is a user id, or a user and an item. Received: {value!r}.")


def _ratings(value: Any) -> dict[str, float]:
    try:
        ratings = {str(item): float(rating) for item, rating in value.items()}
    except (AttributeError, TypeError, ValueError):
        ratings = {"": math.nan}
    if not all(math.isfinite(rating) for rating in ratings.values()):
        raise UserError(f'Ratings are items with numbers, such as {{"50": 4.5}}. Received: {value!r}.')
    return ratings

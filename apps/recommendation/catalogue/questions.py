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
        except (ValueError, RecursionError) as error:
            raise UserError(f'A pair must be JSON, such as {{"user": "1", "item": "2"}}: {error}.') from None
    if isinstance(value, dict):
        if ("user" in value) == ("ratings" in value) or not set(value) <= {"user", "item", "ratings"}:
            raise UserError(
                "A question has either a user or ratings, and may have an item. "
                f"Received the keys: {', '.join(value)}."
            )
        ratings = _ratings(value["ratings"]) if "ratings" in value else None
        user = _id(value["user"]) if "user" in value else ""
        return Question(user, _id(value["item"]) if "item" in value else None, ratings)
    return Question(_id(value))


def within_scale(asked: Question, lowest: float, highest: float) -> Question:
    """Return a question whose ratings are such as training saw.

    Raises:
        UserError: One is below the lowest or above the highest.

    Example:

    >>> within_scale(question({"ratings": {"50": 4.5}}), 0.5, 5.0).ratings
    {'50': 4.5}
    """
    margin = 1e-6 * max(abs(lowest), abs(highest))
    for item, rating in (asked.ratings or {}).items():
        if not lowest - margin <= rating <= highest + margin:
            raise UserError(
                f"Ratings go from {lowest:g} to {highest:g}, as training saw them. "
                f"Received: {rating:g} for item {item}."
            )
    return asked


def _id(value: Any) -> str:
    """Return a raw id as ratings are read: as text, without blanks around it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | Integral) and not isinstance(value, bool) and str(value).strip():
        return str(value).strip()
    raise UserError(
        "A question is a user id, or a user and an item, whose ids are texts or whole numbers. "
        f"Received: {value!r}."
    )


def _ratings(value: Any) -> dict[str, float]:
    try:
        ratings = {str(item).strip(): float(rating) for item, rating in value.items()}
    except (AttributeError, TypeError, ValueError, OverflowError):
        ratings = {"": math.nan}
    if not all(math.isfinite(rating) for rating in ratings.values()):
        raise UserError(f'Ratings are items with numbers, such as {{"50": 4.5}}. Received: {value!r}.')
    return ratings

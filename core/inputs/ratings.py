"""A question to a recommender: a user of the data, or ratings of one's own, and maybe one item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import pydantic

from core.inputs.kind import TAG, Choices, Input, checked
from core.inputs.limits import Limits

LONGEST_ID = 200
LARGEST_ID = 2**53  # the whole numbers that every reader of JSON keeps
ID_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
        {"type": "integer", "minimum": -LARGEST_ID, "maximum": LARGEST_ID},
    ]
}


def _id(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_ID:
        return str(value)
    if isinstance(value, str):
        return value
    raise ValueError("An id is a text or a whole number")


Id = Annotated[
    str,
    pydantic.BeforeValidator(_id),
    pydantic.Field(min_length=1, max_length=LONGEST_ID),
    pydantic.WithJsonSchema(ID_SCHEMA),
]
Rating = Annotated[float, pydantic.Field(strict=True, allow_inf_nan=False, ge=-1e6, le=1e6)]
Item = Annotated[
    Id, pydantic.Field(description="score this item; without it, items are recommended", examples=["1"])
]


class AboutUser(pydantic.BaseModel):
    """What a user would like, or would think of an item."""

    model_config = pydantic.ConfigDict(extra="forbid")

    user: Id = pydantic.Field(description="whose taste counts; one that training never saw is allowed")
    item: Item = ""


class AboutTaste(pydantic.BaseModel):
    """What somebody would like who rates like this, or would think of an item."""

    model_config = pydantic.ConfigDict(extra="forbid")

    ratings: dict[str, Rating] = pydantic.Field(
        max_length=1000, description="item to rating; training need not know whose"
    )
    item: Item = ""


def _question(value: Any) -> Any:
    if not isinstance(value, dict):
        return {"user": value}
    if ("user" in value) == ("ratings" in value):
        raise ValueError("A question has either a user or ratings")
    return value


def _asked(value: Any) -> str:
    return f"{TAG}user" if isinstance(value, AboutUser) or "user" in value else f"{TAG}taste"


Question = Annotated[
    Annotated[
        Annotated[AboutUser, pydantic.Tag(f"{TAG}user")] | Annotated[AboutTaste, pydantic.Tag(f"{TAG}taste")],
        pydantic.Discriminator(_asked),
    ],
    pydantic.BeforeValidator(_question, json_schema_input_type=Id | AboutUser | AboutTaste),
]
"""A user's id; or a mapping with a user or with ratings, and maybe the item to score."""


@dataclass(frozen=True, eq=False)
class Ratings(Input):
    """A user's id; or a mapping with a user or with ratings, and maybe the item to score.

    Args:
        known: The users, items and ratings of the training data: `user`, `item` and `rating`, each from id to
            how people call it.

    Example:

    >>> Ratings({"user": {"7": "7"}, "item": {"50": "Alien"}}).examples()[2]
    {'user': '7', 'item': '50'}
    """

    kind: ClassVar[str] = "ratings"
    noun: ClassVar[str] = "question"
    described: ClassVar[str] = "A user's id; or a user, or ratings of items, and maybe the item to score."

    known: Choices = field(default_factory=dict)

    def type(self, limits: Limits) -> Any:
        """Return a user's id, or a mapping with a user or with ratings."""
        return Question

    def examples(self) -> list[Any]:
        """Return a question of each sort, about a user and an item that training saw, if there is any."""
        user, item = (
            next((each for each in self.known.get(name, {}) if 0 < len(each) <= LONGEST_ID), "1")
            for name in ("user", "item")
        )
        rating = float(next(iter(self.known.get("rating", {})), 4.0))
        return [user, {"user": "nobody"}, {"user": user, "item": item}, {"ratings": {item: rating}}]

    def raw(self, value: Any, limits: Limits) -> dict[str, Any]:
        """Return the question as a mapping."""
        return value.model_dump(exclude_defaults=True)

    def record(self, record: Mapping[str, Any], name: str) -> Any:
        """Return the question of a row: its `user`, and its `item` where there is one."""
        columns = ("user", "item", "ratings")
        asked = {key: value for key, value in record.items() if key in columns and value not in ("", None)}
        if not any(key in record for key in columns):
            return super().record(record, name)
        return self.raw(checked(Question, asked, self.noun), Limits())

    def choices(self) -> Choices:
        """Return the users and items that training saw, and the ratings that one may give."""
        return self.known

"""What programs may ask a recommender, in JSON."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic

TAG = "about "  # begins what tells questions apart, which stands in the places of errors and in no body
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

"""A file in JSON: base64, with or without the head of a data URL."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic


def _base64(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("A file is given as text in base64")
    head, comma, rest = value.partition(",")
    return rest if comma and head.startswith("data:") else value


# Pydantic decodes it where the model around it says that bytes are base64.
EncodedFile = Annotated[
    bytes,
    pydantic.BeforeValidator(_base64, json_schema_input_type=str),
    pydantic.Field(min_length=1, json_schema_extra={"contentEncoding": "base64"}),
]

"""The kinds of raw inputs that programs send: texts, pictures, sounds, and questions to a recommender."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pydantic

from core.serving.questions import LONGEST_ID, Question
from core.serving.settings import Limits

if TYPE_CHECKING:
    from core.run import Run

Choices = Mapping[str, Mapping[str, str]]


def _base64(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("A file is given as text in base64")
    head, comma, rest = value.partition(",")
    return rest if comma and head.startswith("data:") else value


# Pydantic decodes it, since `Body` says that bytes are base64.
EncodedFile = Annotated[
    bytes,
    pydantic.BeforeValidator(_base64, json_schema_input_type=str),
    pydantic.Field(min_length=1, json_schema_extra={"contentEncoding": "base64"}),
]


def _picture() -> bytes:
    """Return a small picture as PNG."""
    from PIL import Image

    file = io.BytesIO()
    Image.linear_gradient("L").resize((8, 8)).save(file, "PNG")
    return file.getvalue()


def _sound() -> bytes:
    """Return a tenth of a second of a square wave as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes((b"\x70" * 8 + b"\x90" * 8) * 50)
    return file.getvalue()


def _questions(choices: Choices) -> list[Any]:
    """Return a question of each sort, about a user and an item that training saw, if it is told of any."""
    user, item = (
        next((each for each in choices.get(name, {}) if 0 < len(each) <= LONGEST_ID), "1")
        for name in ("user", "item")
    )
    rating = float(next(iter(choices.get("rating", {})), 4.0))
    return [user, {"user": "nobody"}, {"user": user, "item": item}, {"ratings": {item: rating}}]


@dataclass(frozen=True)
class InputKind:
    """One kind of raw input, as programs send it.

    Args:
        name: As in `Task.accepts`.
        noun: How people call one.
        described: For the documents.
        is_file: Whether it is a file, which may also be uploaded as a form.
        examples: From what an input may name, as `Task.choices` says, to inputs in JSON that any task of the
            kind can answer; the model is warmed up with them.
    """

    name: str
    noun: str
    described: str
    is_file: bool
    examples: Callable[[Choices], list[Any]]

    def type(self, limits: Limits) -> Any:
        """Return the type of one input in JSON, for Pydantic."""
        if self.is_file:
            return EncodedFile
        if self.name == "ratings":
            return Question
        return Annotated[str, pydantic.Field(max_length=limits.characters)]

    def raw(self, value: Any, run: Run, limits: Limits) -> Any:
        """Return what `Task.predict` takes, from an input that has been checked.

        Raises:
            UserError: A file can't be read.
        """
        if self.is_file:
            return run.experiment.task.upload(
                run.encoder, value, max_pixels=limits.pixels, max_seconds=limits.sound_seconds
            )
        return value.model_dump(exclude_defaults=True) if self.name == "ratings" else value


KINDS = {
    kind.name: kind
    for kind in (
        InputKind("text", "text", "A text.", False, lambda choices: ["A lovely, moving film.", "Hm"]),
        InputKind(
            "picture",
            "picture",
            "A picture file (PNG, JPEG, WebP, GIF, BMP) in base64.",
            True,
            lambda choices: [base64.b64encode(_picture()).decode()],
        ),
        InputKind(
            "sound",
            "sound",
            "A sound file (WAV, FLAC, Ogg, MP3, AIFF) in base64.",
            True,
            lambda choices: [base64.b64encode(_sound()).decode()],
        ),
        InputKind(
            "ratings",
            "question",
            "A user's id; or a user, or ratings of items, and maybe the item to score.",
            False,
            _questions,
        ),
    )
}

"""Values as a page shows them: text as it is or marked in part, pictures to see, waves to hear."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

LONGEST_TEXT = 600  # characters
LARGEST_PICTURE = 256  # pixels along an edge
LONGEST_SOUND = 10  # seconds
NUM_TONES = 8


class Sound:
    """A wave and how fast it is played.

    No dataclass: Pydantic writes those as mappings, and never asks for the file that a sound is sent as.

    Args:
        wave: int16, shape `(num_samples,)`.
        sample_rate: Samples a second.
    """

    __slots__ = ("sample_rate", "wave")

    def __init__(self, wave: np.ndarray, sample_rate: int) -> None:
        self.wave = wave
        self.sample_rate = sample_rate


@dataclass(frozen=True)
class Mark:
    """A stretch of a text that is marked.

    Args:
        start: Where it begins, in characters from 0.
        end: Where it ends, the first character that is no part of it.
        name: What it is.
        tone: Its colour, 0 to 7; those of one name have one.
    """

    start: int
    end: int
    name: str
    tone: int = 0


def tone_of(name: str) -> int:
    """Return the colour of marks of a name, the same in every text; `page.js` counts likewise.

    Example:

    >>> [tone_of(name) for name in ("PER", "LOC", "ORG", "MISC")]
    [1, 0, 2, 6]
    """
    return (sum(name.encode()) + 2) % NUM_TONES


@dataclass(frozen=True)
class Item:
    """One value of an example, ready for a page.

    Args:
        name: Of the column.
        kind: How to show it.
        content: The text itself, or a data URI.
        marks: Of a marked text, in order and apart from each other.
        large: Of a picture: whether it is as wide as there is room, rather than a thumbnail.
    """

    name: str
    kind: Literal["text", "picture", "sound", "marked"]
    content: str
    marks: tuple[Mark, ...] = ()
    large: bool = False


def marked(item: Item) -> list[tuple[str, Mark | None]]:
    """Return a marked text in pieces, each with its mark or none.

    Example:

    >>> [text for text, mark in marked(Item("text", "marked", "Ann lives", (Mark(0, 3, "PER"),)))]
    ['Ann', ' lives']
    """
    pieces: list[tuple[str, Mark | None]] = []
    place = 0
    for mark in item.marks:
        if mark.start > place:
            pieces.append((item.content[place : mark.start], None))
        pieces.append((item.content[mark.start : mark.end], mark))
        place = mark.end
    return [*pieces, (item.content[place:], None)] if place < len(item.content) else pieces


def items_of(values: Mapping[str, Any]) -> list[Item]:
    """Return the values of an example, as `Task.shown` gives them, as items of a page.

    Args:
        values: Name to text, number, `Sound`, or picture (uint8, shape `(height, width, channels)` or
            `(height, width)`). Of other arrays the shape is shown.

    Example:

    >>> [item] = items_of({"text": "a lovely film"})
    >>> item.kind, item.content
    ('text', 'a lovely film')
    """
    return [_item(name, value) for name, value in values.items()]


def _item(name: str, value: Any) -> Item:
    if isinstance(value, Sound):
        short = Sound(value.wave[: LONGEST_SOUND * value.sample_rate], value.sample_rate)
        return Item(name, "sound", data_uri("audio/wav", wav(short)))
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3):
        return Item(name, "picture", data_uri("image/png", png(value, LARGEST_PICTURE)))
    if isinstance(value, np.ndarray) and value.size > 16:
        return Item(name, "text", f"an array of shape {value.shape}")
    text = f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
    return Item(name, "text", text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " …")


def data_uri(media_type: str, content: bytes) -> str:
    """Return content as an address that holds it, so that a page needs no other file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def png(picture: np.ndarray, largest: int | None = None) -> bytes:
    """Return a picture as PNG.

    Args:
        picture: uint8, shape `(height, width)` or `(height, width, channels)`.
        largest: Pixels along an edge that a larger one is brought down to; by default it stays as it is.
    """
    from PIL import Image

    grey = picture.ndim == 3 and picture.shape[-1] == 1
    image = Image.fromarray(picture[..., 0] if grey else picture)
    if largest is not None:
        image.thumbnail((largest, largest))
    content = io.BytesIO()
    image.save(content, format="png", optimize=largest is not None)
    return content.getvalue()


def wav(sound: Sound) -> bytes:
    """Return a sound as WAV of 16 bits."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, sound.wave, sound.sample_rate, format="WAV", subtype="PCM_16")
    return content.getvalue()

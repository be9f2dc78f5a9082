"""Inputs as a page shows them: text as it is, pictures to see, waves to hear."""

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


@dataclass(frozen=True, eq=False)
class Sound:
    """A wave and how fast it is played.

    Args:
        wave: int16, shape `(num_samples,)`.
        sample_rate: Samples a second.
    """

    wave: np.ndarray
    sample_rate: int


@dataclass(frozen=True)
class Item:
    """One value of an example, ready for a page.

    Args:
        name: Of the column.
        kind: How to show it.
        content: The text itself, or a data URI.
    """

    name: str
    kind: Literal["text", "picture", "sound"]
    content: str


def items_of(values: Mapping[str, Any]) -> list[Item]:
    """Return the values of an example, as `Task.shown` gives them, as items of a page.

    Args:
        values: Name to text, number, `Sound`, or picture (uint8, shape `(height, width, channels)` or
            `(height, width)`). Other arrays are told by their shape.

    Example:

    >>> items_of({"text": "a lovely film"})
    [Item(name='text', kind='text', content='a lovely film')]
    """
    return [_item(name, value) for name, value in values.items()]


def _item(name: str, value: Any) -> Item:
    if isinstance(value, Sound):
        return Item(name, "sound", data_uri("audio/wav", _wav(value)))
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3):
        return Item(name, "picture", data_uri("image/png", _png(value)))
    if isinstance(value, np.ndarray) and value.size > 16:
        return Item(name, "text", f"an array of shape {value.shape}")
    text = f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
    return Item(name, "text", text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " …")


def data_uri(media_type: str, content: bytes) -> str:
    """Return content as an address that holds it, so that a page needs no other file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image

    grey = picture.ndim == 3 and picture.shape[-1] == 1
    image = Image.fromarray(picture[..., 0] if grey else picture)
    image.thumbnail((LARGEST_PICTURE, LARGEST_PICTURE))
    content = io.BytesIO()
    image.save(content, format="png", optimize=True)
    return content.getvalue()


def _wav(sound: Sound) -> bytes:
    import soundfile

    content = io.BytesIO()
    wave = sound.wave[: LONGEST_SOUND * sound.sample_rate]
    soundfile.write(content, wave, sound.sample_rate, format="WAV", subtype="PCM_16")
    return content.getvalue()

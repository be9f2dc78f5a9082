from __future__ import annotations

import base64
import io

import numpy as np
import soundfile
from PIL import Image

from core.shown import Sound, items_of


def content_of(uri: str) -> bytes:
    return base64.b64decode(uri.split(",", 1)[1])


def test_a_picture_is_shown_pixel_for_pixel():
    picture = np.random.default_rng(0).integers(0, 256, (8, 9, 1), np.uint8)
    (item,) = items_of({"image": picture})
    assert item.kind == "picture"
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(content_of(item.content)))), picture[..., 0]
    )


def test_a_large_picture_is_shown_smaller():
    (item,) = items_of({"image": np.zeros((900, 300, 3), np.uint8)})
    assert Image.open(io.BytesIO(content_of(item.content))).size == (85, 256)


def test_a_wave_is_heard_as_it_is():
    wave = np.random.default_rng(0).integers(-3000, 3000, 800).astype(np.int16)
    (item,) = items_of({"wave": Sound(wave, 8000)})
    heard, rate = soundfile.read(io.BytesIO(content_of(item.content)), dtype="int16")
    assert (item.kind, rate) == ("sound", 8000)
    np.testing.assert_array_equal(heard, wave)


def test_long_text_is_cut_and_arrays_are_shown_by_their_shape():
    text, row, number = items_of({"text": "word " * 1000, "row": np.zeros(50), "price": 1.23456789})
    assert len(text.content) < 700
    assert row.content == "an array of shape (50,)"
    assert number.content == "1.23457"

"""Whether two answers are the same, however they came: here, as files, or as data URLs."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from core.shown import Sound

STRAYS = 1e-3  # a batch of another size is summed in another order
DATA_URLS = ("data:image/png;base64,", "data:audio/wav;base64,")


def assert_equal(received: Any, expected: Any) -> None:
    """Compare two answers, which may hold arrays, to the last digit."""
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(received, expected)
    elif isinstance(expected, Sound):
        assert received.sample_rate == expected.sample_rate
        assert_equal(received.wave, expected.wave)
    elif isinstance(expected, Mapping):
        assert received.keys() == expected.keys()
        for name, value in expected.items():
            assert_equal(received[name], value)
    elif isinstance(expected, list | tuple):
        assert len(received) == len(expected)
        for one, other in zip(received, expected, strict=True):
            assert_equal(one, other)
    else:
        assert received == expected


def assert_alike(received: Any, expected: Any) -> None:
    """Compare two answers, pictures and sounds within a level or so of their samples."""
    if isinstance(received, str) and received.startswith(DATA_URLS):
        received = _opened(received)
    if isinstance(expected, Sound):
        assert received.sample_rate == expected.sample_rate
        assert_alike(received.wave, expected.wave)
    elif isinstance(expected, np.ndarray):
        received = received.reshape(expected.shape)
        assert received.dtype == expected.dtype
        np.testing.assert_allclose(received.astype(float), expected.astype(float), rtol=1e-2, atol=2)
    elif isinstance(expected, Mapping):
        assert received.keys() == expected.keys()
        for name, value in expected.items():
            assert_alike(received[name], value)
    elif isinstance(expected, list | tuple):
        assert len(received) == len(expected)
        for one, other in zip(received, expected, strict=True):
            assert_alike(one, other)
    elif isinstance(expected, float):
        assert received == pytest.approx(expected, rel=STRAYS, abs=STRAYS)
    else:
        assert received == expected


def _opened(address: str) -> Any:
    head, _, content = address.partition(",")
    file = io.BytesIO(base64.b64decode(content))
    if head.startswith("data:image"):
        return np.asarray(Image.open(file))
    wave, sample_rate = soundfile.read(file, dtype="int16")
    return Sound(wave, sample_rate)

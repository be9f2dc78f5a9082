"""Pictures, sounds and arrays of answers: kept as files, or sent as data URLs, never as lists of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import UserError
from core.shown import Sound, data_uri, png, wav
from core.writing import written_whole

FEW = 64  # numbers that are still written as numbers


@dataclass(frozen=True)
class Content:
    """A value as the content of a file.

    Args:
        bytes: Of the file.
        suffix: Of its name.
        media_type: As HTTP names it.
    """

    bytes: bytes
    suffix: str
    media_type: str


def content_of(value: Any) -> Content | None:
    """Return what the file of a value holds; nothing for what is written as JSON.

    Args:
        value: A picture (uint8, shape `(height, width)` or `(height, width, channels)`), a sound
            (`core.shown.Sound`), any other array, or whatever else an answer holds.

    Example:

    >>> content_of(np.zeros((2, 2), np.uint8)).media_type, content_of("a text") is None
    ('image/png', True)
    """
    if isinstance(value, Sound):
        return Content(wav(value), ".wav", "audio/wav")
    if not isinstance(value, np.ndarray):
        return None
    if value.dtype == np.uint8 and value.ndim in (2, 3):
        return Content(png(value), ".png", "image/png")
    if value.size <= FEW:
        return None
    import io

    file = io.BytesIO()
    np.save(file, value, allow_pickle=False)
    return Content(file.getvalue(), ".npy", "application/octet-stream")


def holds_files(answer: Mapping[str, Any]) -> bool:
    """Return whether a value of an answer has to be kept as a file."""
    return any(isinstance(value, np.ndarray | Sound) for value in answer.values())


def kept(answer: Mapping[str, Any], folder: Path, name: str, *, beside: Path) -> dict[str, Any]:
    """Return an answer whose pictures, sounds and arrays have given way to the paths of files that hold them.

    Args:
        answer: From names to values.
        folder: Where the files go; it is made.
        name: Begins the names of its files.
        beside: The folder that the paths start from.

    Raises:
        UserError: A file can't be written.
    """
    with_paths = dict(answer)
    for key, value in answer.items():
        content = content_of(value)
        if content is None:
            continue
        path = folder / f"{name}-{key}{content.suffix}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as temporary:
                temporary.write_bytes(content.bytes)
        except OSError as error:
            raise UserError(f"The answer can't be written to {path}: {error.strerror or error}.") from None
        with_paths[key] = path.relative_to(beside).as_posix()
    return with_paths


def embedded(value: Any) -> Any:
    """Return a value as JSON can hold it: a picture, a sound or an array as a data URL."""
    content = content_of(value)
    if content is not None:
        return data_uri(content.media_type, content.bytes)
    return value.tolist()


def opened(answer: Mapping[str, Any], folder: Path, name: str, *, beside: Path) -> dict[str, Any]:
    """Return an answer whose paths of files, as `kept` wrote them, have given way to what the files hold.

    Args:
        answer: As `kept` returned it, read back.
        folder: Where the files are. A path of another place or name is text like any other.
        name: Begins the names of its files.
        beside: The folder that the paths start from.

    Returns:
        From names to pictures, sounds and arrays; a path whose file is gone stays as it is.

    Raises:
        UserError: A file lies elsewhere, or can't be read.
    """
    read = dict(answer)
    for key, value in answer.items():
        for suffix, reader in READERS.items():
            path = folder / f"{name}-{key}{suffix}"
            if value != path.relative_to(beside).as_posix() or not (path.exists() or path.is_symlink()):
                continue
            if path.is_symlink() or path.resolve().parent != beside.resolve() / folder.relative_to(beside):
                raise UserError(
                    f"The file {path} of an answer must lie in {folder}, and be no link to another."
                )
            try:
                read[key] = reader(path)
            except (OSError, ValueError, RuntimeError) as error:
                raise UserError(f"The file {path} of an answer can't be read: {error}.") from None
    return read


def _picture(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image)


def _sound(path: Path) -> Sound:
    import soundfile

    wave, sample_rate = soundfile.read(path, dtype="int16")
    return Sound(wave, sample_rate)


def _array(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False)


READERS: Mapping[str, Callable[[Path], Any]] = {".png": _picture, ".wav": _sound, ".npy": _array}

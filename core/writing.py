"""Files that are written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import UserError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends without an error.

    Args:
        path: The file to write; its folder must exist.

    Yields:
        The temporary path, of the same suffix, to be written by whoever writes it.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with written_whole(folder / "figures.json") as temporary:
    ...     _ = temporary.write_text("{}")
    >>> [path.name for path in folder.iterdir()]
    ['figures.json']
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_half_written(folder: Path) -> None:
    """Delete what `written_whole` was writing in a folder when its process was killed."""
    for path in folder.glob(".*"):
        if re.fullmatch(r"\..+\.\d+(\.\w+)?", path.name) and path.is_file():
            path.unlink(missing_ok=True)


def to_json(tree: Any, indent: int | None = None) -> str:
    """Return JSON of numbers, arrays, text and nests of them, keyed by text; what is not finite becomes null.

    Example:

    >>> to_json({"loss": float("nan"), "labels": ("bad", "good")})
    '{"loss": null, "labels": ["bad", "good"]}'
    """
    encoder = json.JSONEncoder(indent=indent, ensure_ascii=False, allow_nan=False)
    try:
        return encoder.encode(tree)
    except (TypeError, ValueError):  # it holds arrays, or what is not finite
        return encoder.encode(_plain(tree))


def write_json(path: Path, tree: Any) -> None:
    """Write `to_json` of a tree to a file, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(to_json(tree, indent=1) + "\n", encoding="utf-8")


def parsed_json(path: Path, text: str | None = None) -> Any:
    """Return what a JSON file holds, or one line of it.

    Args:
        path: The file.
        text: The line, where it is read already.

    Raises:
        UserError: It is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8") if text is None else text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is damaged: train again, or bring it back from a copy. Received: {error}."
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

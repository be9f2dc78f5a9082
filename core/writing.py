"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import UserError

DEEPEST = 40  # nests in a JSON file


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends without an error.

    What was written is on the disk before it takes that place, and the place is before this returns, so that
    not even a loss of power leaves half a file. A link at `path` is replaced, never written through.

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
    temporary.unlink(missing_ok=True)  # a link of that name would be written through
    try:
        yield temporary
        flush_to_disk(temporary)
        os.replace(temporary, path)
        flush_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; where a folder can't be, go on."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        if path.is_dir():  # which may be written to without being read
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # some file systems know no fsync
            raise
    finally:
        os.close(descriptor)


def flush_tree_to_disk(folder: Path) -> None:
    """Wait until all files below a folder, and their names, are on the disk."""
    for path in (*folder.rglob("*"), folder):
        if path.is_dir() or path.is_file():
            flush_to_disk(path)


def within(folder: Path, path: Path) -> Path:
    """Return a path that is about to be written, unless links lead it out of a folder.

    Args:
        folder: That nothing may leave; it may be a link itself.
        path: Below it; it need not exist.

    Raises:
        UserError: It leaves the folder. Whoever made the folder could have it write anywhere.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "logs").symlink_to("/")
    >>> within(folder, folder / "logs")
    Traceback (most recent call last):
    core.errors.UserError: .../logs leads out of its folder by a link, ... Received: a link to /.
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"{path} leads out of its folder by a link, and nothing is written there. Put a folder in the "
            f"place of the link. Received: a link to {path.resolve()}."
        )
    return path


def cell(value: Any) -> Any:
    """Return what stands in a cell of a CSV: text that a spreadsheet would compute begins with an apostrophe.

    Example:

    >>> cell("=HYPERLINK(A1)"), cell("-1.5"), cell(-1.5), cell("plain")
    ("'=HYPERLINK(A1)", '-1.5', -1.5, 'plain')
    """
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


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
        tree = json.loads(path.read_text(encoding="utf-8") if text is None else text)
        if not _is_shallow(tree):
            raise RecursionError
    except (ValueError, RecursionError) as error:
        deep = f"nests of more than {DEEPEST}"
        wrong = error.msg if isinstance(error, json.JSONDecodeError) else "no JSON in UTF-8"
        raise UserError(
            f"{path} is damaged: train again, or bring it back from a copy. "
            f"Received: {deep if isinstance(error, RecursionError) else wrong}."
        ) from None
    return tree


def _is_shallow(tree: Any) -> bool:
    """Whether the lists and mappings of a tree are nested no deeper than is ever written."""
    level = [tree]
    for _ in range(DEEPEST):
        containers = [node for node in level if isinstance(node, dict | list)]
        if not containers:
            return True
        level = [
            below for node in containers for below in (node.values() if isinstance(node, dict) else node)
        ]
    return False


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

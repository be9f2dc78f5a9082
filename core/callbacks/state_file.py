"""Nested values with arrays in them, in one file that is written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np


class StateError(ValueError):
    """A saved state is damaged, or of another training."""


def write_state_file(path: Path, state: Any) -> None:
    """Write `state` beside `path`, then move it there, so that a kill leaves the former file or the new one.

    Args:
        path: The file, an npz archive of arrays and one JSON text.
        state: Numbers, strings, None, arrays and functions of `keras.ops`, in lists, tuples and dicts.

    Raises:
        TypeError: If `state` holds anything else.
    """
    arrays: list[np.ndarray] = []
    text = json.dumps(pack(state, arrays))
    members: dict[str, Any] = {f"array_{place}": _plain(array) for place, array in enumerate(arrays)}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)  # a link of that name would be written through
    try:
        with temporary.open("wb") as file:
            np.savez(file, json=np.frombuffer(text.encode(), np.uint8), **members)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _flush_names(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _flush_names(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where its file system can be asked for that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # of a folder that may be written to without being read, and on Windows
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # some file systems know no fsync
            raise
    finally:
        os.close(descriptor)


def read_state_file(path: Path) -> Any:
    """Read what `write_state_file` wrote.

    Raises:
        StateError: If the file is damaged or is not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as members:
            arrays = [members[f"array_{place}"] for place in range(len(members.files) - 1)]
            return unpack(json.loads(members["json"].tobytes()), arrays)
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, TypeError, ValueError) as error:
        raise StateError(
            f"{path} is damaged or not a state file ({error}). Delete it to start anew."
        ) from error


def pack(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return `value` as JSON in which each array is its place in `arrays`, to which it is appended.

    Raises:
        TypeError: If `value` holds anything else than `write_state_file` takes.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if type(value) in (list, tuple):
        return {type(value).__name__: [pack(item, arrays) for item in value]}
    if type(value) is dict:
        return {"dict": [[pack(key, arrays), pack(item, arrays)] for key, item in value.items()]}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind not in "OT":
        arrays.append(np.asarray(value))
        return {"array": len(arrays) - 1, "dtype": value.dtype.name, "scalar": isinstance(value, np.generic)}
    # Monitors such as EarlyStopping keep `keras.ops.less` as an attribute, in step with the sign of another.
    name = getattr(value, "__name__", "")
    if name and getattr(keras.ops, name, None) is value:
        return {"keras.ops": name}
    raise TypeError(f"A state file has no place for this type. Received: {type(value).__name__}.")


def unpack(packed: Any, arrays: list[np.ndarray]) -> Any:
    """Return the value that `pack` made `packed` and `arrays` of."""
    if not isinstance(packed, dict):
        return packed
    if "array" in packed:
        array = arrays[packed["array"]].view(np.dtype(packed["dtype"]))
        return array[()] if packed["scalar"] else array
    ((kind, content),) = packed.items()
    if kind == "keras.ops":
        return getattr(keras.ops, content)
    if kind == "dict":
        return {unpack(key, arrays): unpack(item, arrays) for key, item in content}
    return {"list": list, "tuple": tuple}[kind](unpack(item, arrays) for item in content)


def _plain(array: np.ndarray) -> np.ndarray:
    """View types that NumPy's file format does not know, such as bfloat16, as integers of the same width."""
    return array if array.dtype.isbuiltin == 1 else array.view(f"u{array.dtype.itemsize}")

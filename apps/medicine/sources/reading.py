"""Medical pictures wherever they come from: archives of MedMNIST, tables, folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from apps.medicine.sources.listed import PATIENT, by_folder, by_table
from apps.medicine.sources.medmnist import read_medmnist
from core.data.examples import Examples
from core.data.images import decoded_parts
from core.data.picture_levels import Levels
from core.errors import UserError

NOT_FIGURES = ("label", "path", "levels", PATIENT)


def read_pictures(
    path: Path,
    *,
    names: str | None = None,
    label_column: str | None = None,
    size: int | None = None,
    channels: int | None = None,
    levels: Levels | None = None,
    skip_bad: bool = False,
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read medical pictures with their labels and whatever the source says of whom they show.

    Args:
        path: A `.npz` of MedMNIST, a table that names picture files, or a folder of them.
        names: What the names of the files in a folder say, such as `{label}_{patient}`.
        label_column: Of a table.
        size: Height and width to bring picture files to; needed where they differ.
        channels: 1 or 3; by default 1 where all pictures are grey.
        levels: Values that become black and white, of pictures of more than 8 bits and of DICOM.
        skip_bad: Leave out what can't be read, and count it.

    Returns:
        The parts that the source names, with columns `image` (uint8, `(num_examples, height, width,
        channels)`), `label`, `patient` where it is known, and others; and notes.

    Raises:
        UserError: The source can't be read; the message names the file.
    """
    if path.suffix.lower() == ".npz":
        _require_none(path, names=names, label_column=label_column)
        return read_medmnist(path, channels), ()
    if path.is_file():
        _require_none(path, names=names)
        listed, notes = by_table(path, label_column, skip_bad=skip_bad)
    else:
        _require_none(path, label_column=label_column)
        listed, notes = by_folder(path, names)
    parts, notes = decoded_parts(
        listed,
        path,
        size=None if size is None else (size, size),
        channels=channels,
        levels=levels,
        skip_bad=skip_bad,
        notes=notes,
    )
    return _with_numbers(parts), notes


def _require_none(path: Path, **given: str | None) -> None:
    for name, value in given.items():
        if value is not None:
            raise UserError(
                f"{name} is of {'folders' if name == 'names' else 'tables'}, which {path} is none of: leave "
                f"it out. Received: {name}={value}."
            )


def _with_numbers(parts: Mapping[str, Examples]) -> dict[str, Examples]:
    """Return parts whose columns of numbers, such as age, are numbers, so that they are told in ranges."""
    numeric: dict[str, dict[str, np.ndarray]] = {}
    for name in parts["train"].columns:
        if name in NOT_FIGURES or name == "image":
            continue
        read = {part: _numbers(examples[name]) for part, examples in parts.items()}
        columns = {part: column for part, column in read.items() if column is not None}
        if len(columns) == len(parts):
            numeric[name] = columns
    return {
        part: examples.with_columns(**{name: columns[part] for name, columns in numeric.items()})
        for part, examples in parts.items()
    }


def _numbers(column: np.ndarray) -> np.ndarray | None:
    try:
        numbers = np.array([float(value) for value in column.tolist()])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None

"""Lines of a table by the part that one of its columns names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.data.column_names import PART_COLUMNS, spelt
from core.data.examples import Examples
from core.data.folders import names_of_parts
from core.errors import UserError
from core.wording import counted


def by_parts(lines: Examples, path: Path) -> tuple[dict[str, Examples], list[str]]:
    """Return the lines of each part, without the column that names it; all are `train` where none does.

    Args:
        lines: Of a table, all columns as text.
        path: Of the table, for messages.

    Returns:
        The parts that have lines, and a note of lines of other parts.

    Raises:
        UserError: None is of the training part.

    Example:

    >>> parts, _ = by_parts(Examples({"label": ["a", "b"], "Split": ["train", "dev"]}), Path("a.csv"))
    >>> {part: rows["label"].tolist() for part, rows in parts.items()}
    {'train': ['a'], 'validation': ['b']}
    """
    column = next((name for part in PART_COLUMNS for name in lines.columns if spelt(name) == part), None)
    if column is None:
        return {"train": lines}, []
    named = [name.strip().lower() for name in lines[column].tolist()]
    others = Examples({name: each for name, each in lines.columns.items() if name != column}, lines.source)
    parts = {}
    for part, names in names_of_parts(named).items():
        rows = np.flatnonzero(np.isin(named, names))
        if len(rows):
            parts[part] = others.take(rows)
    if "train" not in parts:
        raise UserError(
            f"{path} has no training part. "
            f"Received the {column}s: {', '.join(sorted(set(lines[column].tolist()))[:8])}."
        )
    left = len(lines) - sum(map(len, parts.values()))
    return parts, [
        f"{counted(left, 'line')} of {path.name} left out, of no part that is used"
    ] if left else []


def beside(table: Path, name: str) -> Path:
    """Return the path of a file that a line of a table names, from the folder of the table."""
    file = table.parent / name
    if "\\" in name and not is_there(file):  # written on Windows
        return table.parent / name.replace("\\", "/")
    return file


def is_there(path: Path) -> bool:
    """Return whether something is at a path, which may be longer than paths can be."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False

"""Parts as they are published: files named after them, in a folder or beside one another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from core.data import folders
from core.errors import UserError

PART_NAMES = {**folders.PART_NAMES, "train": (*folders.PART_NAMES["train"], "base")}


def named_parts(path: Path) -> Mapping[str, Path]:
    """Return the files of `train` and of the other parts at a path; none where there are not at least two.

    Args:
        path: A file such as `u1.base`, `train.txt`, `adult-train.csv` or `films.train.inter`, whose other
            parts lie beside it under names that differ in this one word; or a folder with one such set.

    Raises:
        UserError: A folder holds several sets, or two files for one part.

    Example:

    >>> named_parts(Path("nowhere/ratings.csv"))
    {}
    """
    if path.is_file():
        place = _placed(path)
        sets = _sets(path.parent)
        parts = sets.get(place[0], {}) if place and place[1] == "train" else {}
        return parts if len(parts) > 1 else {}
    if not path.is_dir():
        return {}
    whole = [parts for parts in _sets(path).values() if "train" in parts and len(parts) > 1]
    if len(whole) > 1:
        names = ", ".join(sorted(parts["train"].name for parts in whole)[:8])
        raise UserError(
            f"{path} holds several divisions into parts: name the training file of one. Received: {names}."
        )
    return whole[0] if whole else {}


def _sets(folder: Path) -> dict[tuple[str, ...], dict[str, Path]]:
    """Return the files of a folder that are named after parts, by the other words of their names."""
    sets: dict[tuple[str, ...], dict[str, Path]] = {}
    for path in sorted(file for file in folder.iterdir() if file.is_file()):
        place = _placed(path)
        if place is None:
            continue
        parts = sets.setdefault(place[0], {})
        if place[1] in parts:
            raise UserError(
                f"{folder} holds two files for one part: leave one. "
                f"Received: {parts[place[1]].name}, {path.name}."
            )
        parts[place[1]] = path
    return sets


def _placed(path: Path) -> tuple[tuple[str, ...], str] | None:
    """Return the other words of a file's name, and the part that it is named after."""
    words = re.split("[._-]", path.name.lower())
    for at, word in enumerate(words):
        for part, names in PART_NAMES.items():
            if word in names:
                return (*words[:at], *words[at + 1 :]), part
    return None

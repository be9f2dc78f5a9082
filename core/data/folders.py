"""What the names of folders say: which part a file belongs to, and which class it is of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import UserError

PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}


def part_folders(path: Path) -> dict[str, Path]:
    """Return the folders in `path` that are named after the parts, or `path` itself as `train`.

    Raises:
        UserError: It is no folder, or holds other parts and none to train on.
    """
    if not path.is_dir():
        raise UserError(f"Give a folder with a folder for each class in it. Received: {path}.")
    found = {
        part: entry
        for part, names in PART_NAMES.items()
        for entry in sorted(path.iterdir())
        if entry.is_dir() and entry.name.lower() in names
    }
    if found and "train" not in found:
        raise UserError(
            f"{path} has no folder named train. Received: "
            f"{', '.join(entry.name for entry in found.values())}."
        )
    return found or {"train": path}


def labelled_files(folder: Path, suffixes: Sequence[str], what: str) -> tuple[list[Path], list[str]]:
    """Return the files in the folder of each class, sorted, and for each the name of its class.

    Args:
        folder: Of the classes; names that start with a dot or an underscore are passed over.
        suffixes: Endings of the files that count.
        what: They hold, for the error.

    Raises:
        UserError: There is none.
    """
    files, labels = [], []
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir() or entry.name[0] in "._":
            continue
        inside = sorted(
            file
            for file in entry.rglob("*")
            # A link that leads nowhere is left to the reader, which tells it; a folder or a pipe is no file.
            if file.suffix.lower() in suffixes
            and file.name[0] != "."
            and (file.is_file() or file.is_symlink())
        )
        files += inside
        labels += [entry.name] * len(inside)
    if not files:
        raise UserError(
            f"{folder} holds no {what}: a folder for each class is expected, with files that end in "
            f"{', '.join(suffixes)}. Received: {', '.join(sorted(e.name for e in folder.iterdir())[:8])}."
        )
    return files, labels

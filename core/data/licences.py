"""The licence of a data set, where its source tells it."""

from __future__ import annotations

from pathlib import Path

from core.data.sources import PREFIX, tfds_leaves_nothing

NAMES = ("license", "licence", "copying", "copyright")
LONGEST = 200  # characters


def licence_of(data: str, sample: str | None = None) -> str | None:
    """Return what a data set says of its licence in a line, or nothing.

    Args:
        data: `sample`, `tfds:NAME[/CONFIG]` or a path, as a task's `data`. Of a path, the first line of a
            file such as LICENSE that stands in the folder.
        sample: Licence of the sample.

    Example:

    >>> licence_of("sample", "MIT"), licence_of("nowhere/data.csv")
    ('MIT', None)
    """
    if data == "sample":
        return sample
    if data.startswith(PREFIX):
        return _of_tfds(data.removeprefix(PREFIX))
    path = Path(data)
    folder = path if path.is_dir() else path.parent
    files = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    for file in files:
        if file.stem.lower().startswith(NAMES):
            lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return f"{lines[0].strip()[:LONGEST]} ({file.name})" if lines else None
    return None


def _of_tfds(name: str) -> str | None:
    import tensorflow_datasets as tfds

    try:
        with tfds_leaves_nothing():
            redistribution_info = tfds.builder(name).info.redistribution_info
    except Exception:  # a builder may fail in any way: unknown name, no network
        return None
    return getattr(redistribution_info, "license", None) or None

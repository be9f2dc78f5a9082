"""Pictures of any size: read from folders, and kept as rows of bytes with their heights and widths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from core.data.examples import Examples, Ragged
from core.data.folders import PART_NAMES, files_inside, passed_over_notes
from core.data.images import suffixes
from core.data.larger_than_memory import in_threads
from core.data.picture import GREY_MODES, MAX_PIXELS, in_shape
from core.errors import UserError
from core.wording import counted


def read_folder(
    path: Path, *, channels: int | None, smallest: int, skip_bad: bool
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read all pictures in a folder and the folders in it, by the parts that these are named after.

    Args:
        path: A folder of pictures, or one with `train` and perhaps `validation` and `test` in it.
        channels: 1 for grey, 3 for colour; by default grey where all pictures are.
        smallest: Height and width that a picture must have at least.
        skip_bad: Leave out pictures that can't be read or are smaller, and count them; else refuse them.

    Returns:
        The parts, with columns `image` (bytes), `height`, `width` and `path`; and notes of what was left out.

    Raises:
        UserError: There are no pictures, or one can't be read or is too small; the message names the file.
    """
    passed_over: Counter[str] = Counter()
    files = {part: files_inside(folder, suffixes(), passed_over) for part, folder in parts_of(path).items()}
    if not files.get("train"):
        raise UserError(
            f"{path} holds no pictures: a folder of them is expected, with files that end in "
            f"{', '.join(sorted(suffixes()))}. "
            f"Received: {', '.join(sorted(entry.name for entry in path.iterdir())[:8]) or 'an empty folder'}."
        )
    notes = list(passed_over_notes(passed_over, path.name, "pictures"))
    if channels is None:
        channels = 1 if all(is_grey(file) for each in files.values() for file in each) else 3
    parts = {}
    for part, listed in files.items():
        parts[part], left_out = _read(listed, channels, smallest, skip_bad, str(path))
        if left_out:
            notes.append(f"{counted(left_out, 'picture')} of {part} left out that can't be used")
    return parts, tuple(notes)


def parts_of(path: Path) -> dict[str, Path]:
    """Return the folders in `path` that are named after parts, or `path` itself as `train`.

    Raises:
        UserError: It is no folder.
    """
    if not path.is_dir():
        raise UserError(f"Give a folder of pictures. Received: {path}.")
    folders = {
        part: entry
        for part, names in PART_NAMES.items()
        for entry in sorted(path.iterdir())
        if entry.is_dir() and entry.name.lower() in names
    }
    return folders if "train" in folders else {"train": path}


def is_grey(file: Path) -> bool:
    """Return whether a picture file has no colours; one that can't be read has none."""
    from PIL import Image

    try:
        with Image.open(file) as opened:
            return opened.mode in GREY_MODES
    except Exception:  # what a decoder raises at a broken file is anything
        return True


def _read(
    files: Sequence[Path], channels: int, smallest: int, skip_bad: bool, source: str
) -> tuple[Examples, int]:
    def load(file: Path) -> tuple[Path, np.ndarray] | None:
        try:
            picture = decoded_file(file, channels)
            if min(picture.shape[:2]) < smallest:
                raise UserError(
                    f"{file} is too small to learn from or to be judged by: {smallest} x {smallest} pixels "
                    "are the least. Remove it, or leave such files out with skip_bad=true. "
                    f"Received: {picture.shape[1]} x {picture.shape[0]}."
                )
            return file, picture
        except UserError:
            if skip_bad:
                return None
            raise

    good: list[Path] = []
    sizes: list[tuple[int, int]] = []

    def rows() -> Iterable[np.ndarray]:
        for read in in_threads(load, files):
            if read is not None:
                good.append(read[0])
                sizes.append(read[1].shape[:2])
                yield read[1].reshape(-1)

    images = Ragged.gathered(rows(), np.uint8)
    return as_examples(images, sizes, [str(file) for file in good], source), len(files) - len(good)


def as_examples(
    images: Ragged, sizes: Sequence[tuple[int, int]], names: Sequence[str], source: str
) -> Examples:
    """Return pictures as examples, each with its height, width and path."""
    heights, widths = np.array(sizes, np.int64).reshape(-1, 2).T
    return Examples({"image": images, "height": heights, "width": widths, "path": list(names)}, source)


def examples_of(pictures: Sequence[np.ndarray], names: Sequence[str], source: str) -> Examples:
    """Return pictures in memory as examples.

    Args:
        pictures: uint8, shape `(height, width, channels)`, channels alike.
        names: What each is called.
        source: Where they come from.
    """
    images = Ragged.from_rows([picture.reshape(-1) for picture in pictures], np.uint8)
    return as_examples(images, [picture.shape[:2] for picture in pictures], names, source)


def picture_at(examples: Examples, row: int, name: str = "image") -> np.ndarray:
    """Return one of them, uint8, shape `(height, width, channels)`."""
    height, width = int(examples["height"][row]), int(examples["width"][row])
    return examples.ragged(name)[row].reshape(height, width, -1)


def channels_of(examples: Examples) -> int:
    """Return how many channels pictures have: 1 or 3."""
    return len(examples.ragged("image")[0]) // int(examples["height"][0] * examples["width"][0])


def decoded_file(
    file: Path | str, channels: int | None, reader: Callable[..., np.ndarray] = in_shape
) -> np.ndarray:
    """Return a picture file, upright, uint8, shape `(height, width, channels)`.

    Raises:
        UserError: It can't be read.
    """
    from PIL import Image

    path = Path(file)
    if not path.exists():
        raise UserError(f"There is no picture at this path. Received: {file}.")
    try:
        if not path.is_file():
            raise ValueError("it is no file")
        with Image.open(path) as opened:
            return reader(opened, None, channels, MAX_PIXELS)
    except Exception as error:  # what a decoder raises at a broken file is anything
        raise UserError(
            f"{file} can't be read as a picture: {str(error).rstrip('.')}. Remove it; a training leaves such "
            "files out with skip_bad=true."
        ) from None

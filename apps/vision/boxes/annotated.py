"""Pictures with the boxes that a file tells of them, as the readers of all formats return them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from core.data.images import suffixes
from core.errors import UserError
from core.wording import counted

SHOWN = 5
PART_WORDS = {"train": "train", "training": "train", "trn": "train"} | {
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}


class Annotated(NamedTuple):
    """A picture and its boxes.

    Args:
        path: Of the picture.
        boxes: `(left, top, right, bottom)` in pixels or, with `as_shares`, in shares of the picture.
        labels: Of each box.
        size: Height and width that the file of the boxes says the picture has, if it does.
        where: File, and line or object, that tells the boxes, for messages.
        as_shares: Whether the boxes are shares of the picture's sides.
    """

    path: Path
    boxes: Sequence[tuple[float, float, float, float]]
    labels: Sequence[str]
    size: tuple[int, int] | None
    where: str
    as_shares: bool = False


Parts = Mapping[str, Sequence[Annotated]]
"""Pictures by the parts that a source names; all are `train` where it names none."""


class Passed:
    """Counts what was passed over or mended.

    Example:

    >>> passed = Passed()
    >>> passed.add("box without area left out", "boxes without area left out", 2)
    >>> passed.notes()
    ('2 boxes without area left out',)
    """

    def __init__(self) -> None:
        self._counts = Counter[tuple[str, str]]()

    def add(self, one: str, many: str, count: int = 1) -> None:
        """Count something more, in words for one of its kind and for several."""
        self._counts[one, many] += count

    def notes(self) -> tuple[str, ...]:
        """Return one line for each kind."""
        return tuple(counted(count, *words) for words, count in self._counts.items() if count)


def part_of(name: str) -> str | None:
    """Return the part that the name of a file or folder speaks of, if any.

    Example:

    >>> part_of("instances_train2017.json"), part_of("valid"), part_of("cells.json")
    ('train', 'validation', None)
    """
    words = "".join(letter if letter.isalpha() else " " for letter in name.lower()).split()
    return next((PART_WORDS[word] for word in words if word in PART_WORDS), None)


class Pictures:
    """Finds the pictures that files of boxes name, in some folders and all that lies in them.

    Args:
        folder: Searched to its depths when a name does not lead to a file at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, name: str, near: Path, where: str) -> Path:
        """Return the path of a picture.

        Args:
            name: As a file of boxes has it: a path from `near` or from the folder, or a name alone, which may
                lack its ending.
            near: The folder of that file.
            where: File and line that names it.

        Raises:
            UserError: There is none, or several of this name.
        """
        plain = name.replace("\\", "/").strip()
        for start in (near, self.folder):
            direct = start / plain
            if plain and direct.is_file() and direct.suffix.lower() in suffixes():
                return direct
        known = self._named(plain.rsplit("/", 1)[-1])
        beside = [path for path in known if path.parent == near] or known
        if len(beside) == 1:
            return beside[0]
        if not beside:
            raise UserError(
                f"{where} tells of a picture that is not in {self.folder}: put it there, or take the boxes "
                f"out. Received: {name!r}."
            )
        raise UserError(
            f"{where} tells of a picture that {self.folder} holds several of: give its folder too. "
            f"Received: {name!r}, which is {', '.join(str(path) for path in beside[:SHOWN])}."
        )

    def _named(self, name: str) -> list[Path]:
        if self._by_name is None:
            self._by_name = {}
            for path in sorted(self.folder.rglob("*")):
                if path.suffix.lower() in suffixes() and not path.name.startswith("."):
                    for key in {path.name, path.stem}:
                        self._by_name.setdefault(key, []).append(path)
        return self._by_name.get(name, [])


def number(text: str | float | None, what: str, where: str) -> float:
    """Return a number that a file of boxes holds.

    Raises:
        UserError: It is none.
    """
    try:
        value = float(text if text is not None else "")
    except (TypeError, ValueError):
        value = float("nan")
    if not abs(value) < 1e9:
        raise UserError(f"{where}: {what} must be a number. Received: {text!r}.")
    return value

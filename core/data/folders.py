"""What the names of folders say: which part a file belongs to, and which class it is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from core.errors import UserError
from core.wording import agreeing, counted

# Names that some give to the validation part and some to the test part.
EITHER = ("eval", "evaluation", "heldout", "held_out", "held-out", "holdout")
PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing", *EITHER),
}
# No classes: what a Mac adds to archives, what Speech Commands mixes with its words, and what has no label in
# the reviews of IMDB and in STL-10.
NO_CLASSES = ("__MACOSX", "_background_noise_", "unsup", "unlabeled", "unlabelled")
SHOWN = 8


def names_of_parts(among: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the names of each part, where `eval` and its like are the validation part beside a test part.

    Args:
        among: All names that stand beside one another, in lower case.

    Example:

    >>> "eval" in names_of_parts(["train", "eval", "test"])["validation"]
    True
    >>> "eval" in names_of_parts(["train", "dev", "eval"])["test"]
    True
    """
    names, given = dict(PART_NAMES), set(among)
    tests = tuple(name for name in names["test"] if name not in EITHER)
    if given.isdisjoint(tests) or not given.isdisjoint(names["validation"]):
        return names
    return {**names, "validation": (*names["validation"], *EITHER), "test": tests}


def part_folders(path: Path, suffixes: Collection[str]) -> dict[str, Path]:
    """Return the folders in `path` that are named after the parts, or `path` itself as `train`.

    Folders named after parts that stand beside other classes, and hold no classes themselves, are classes.

    Args:
        path: Of a data set.
        suffixes: Endings of the files that count.

    Raises:
        UserError: It is no folder, holds other parts and none to train on, or can be read in several ways.
    """
    if not path.is_dir():
        raise UserError(f"Give a folder with a folder for each class in it, or a table. Received: {path}.")
    folders = [entry for entry in sorted(path.iterdir()) if entry.is_dir()]
    part_folders: dict[str, Path] = {}
    for part, names in names_of_parts(entry.name.lower() for entry in folders).items():
        several = [entry for entry in folders if entry.name.lower() in names]
        if len(several) > 1:
            raise UserError(
                f"{path} has several folders for one part: keep one of them. "
                f"Received: {', '.join(entry.name for entry in several)}."
            )
        if several:
            part_folders[part] = several[0]
    parts = set(part_folders.values())
    others = [
        entry for entry in folders if entry not in parts and _is_class(entry) and _holds(entry, suffixes)
    ]
    if part_folders and others:
        divided = [entry for entry in part_folders.values() if _holds_classes(entry, suffixes)]
        if not divided:
            return {"train": path}
        raise UserError(
            f"{path} holds folders of parts and other folders with files beside them, so it can't be "
            "known which are classes: move the ones or the others elsewhere. Received: parts "
            f"{', '.join(entry.name for entry in divided)}; others "
            f"{', '.join(entry.name for entry in others[:SHOWN])}."
        )
    if part_folders and "train" not in part_folders:
        raise UserError(
            f"{path} has no folder named train. Received: "
            f"{', '.join(entry.name for entry in part_folders.values())}."
        )
    return part_folders or {"train": path}


def labelled_files(
    folder: Path, suffixes: Collection[str], what: str
) -> tuple[list[Path], list[str], tuple[str, ...]]:
    """Return the files in the folder of each class, sorted, and for each the name of its class.

    Folders in it are searched, linked ones too.

    Args:
        folder: Of the classes.
        suffixes: Endings of the files that count.
        what: They hold, in the plural.

    Returns:
        The files, their labels, and notes of all that was passed over.

    Raises:
        UserError: There is none.
    """
    files: list[Path] = []
    labels: list[str] = []
    passed_over, without = Counter[str](), []
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir():
            if entry.suffix.lower() in suffixes:
                passed_over[hidden(entry.name) or "in no class's folder"] += 1
        elif not _is_class(entry):
            passed_over[f"in {entry.name}"] += sum(
                file.suffix.lower() in suffixes for file, _ in every_file(entry)
            )
        else:
            inside = files_inside(entry, suffixes, passed_over)
            files += inside
            labels += [entry.name] * len(inside)
            without += [] if inside else [entry.name]
    if not files:
        raise UserError(
            f"{folder} holds no {what}: a folder for each class is expected, with files that end in "
            f"{', '.join(sorted(suffixes))}. "
            f"Received: {', '.join(sorted(e.name for e in folder.iterdir())[:SHOWN])}."
        )
    notes = list(passed_over_notes(passed_over, folder.name, what))
    if without:
        counted_folders = counted(
            len(without), f"folder of {folder.name} holds", f"folders of {folder.name} hold"
        )
        notes.append(f"{counted_folders} no {what} that can be read: {', '.join(without[:SHOWN])}")
    return files, labels, tuple(notes)


def files_inside(folder: Path, suffixes: Collection[str], passed_over: Counter[str]) -> list[Path]:
    """Return the files in a folder and all folders in it, sorted, and count the others.

    Args:
        folder: Searched to its depths, through links too.
        suffixes: Endings of the files that count, in lower case.
        passed_over: Takes why files are passed over, and how many.
    """
    files = []
    for file, reason in every_file(folder):
        suffix = file.suffix.lower()
        if reason:
            passed_over[reason] += suffix in suffixes
        elif not (file.is_file() or _leads_nowhere(file)):
            passed_over["no files but pipes or devices"] += 1
        elif suffix in suffixes:
            files.append(file)
        else:
            passed_over[suffix or "without an ending"] += 1
    return sorted(files)


def passed_over_notes(passed_over: Counter[str], where: str, what: str) -> tuple[str, ...]:
    """Return a note of the files that were passed over and why, if there are any.

    Example:

    >>> passed_over_notes(Counter({".heic": 3, "hidden": 1}), "photos", "pictures")
    ('4 files of photos passed over that are not read as pictures: .heic (3), hidden (1)',)
    """
    number = passed_over.total()
    if not number:
        return ()
    reasons = ", ".join(f"{why} ({count:,})" for why, count in passed_over.most_common(SHOWN) if count)
    counted_files = counted(number, f"file of {where} passed over", f"files of {where} passed over")
    return (f"{counted_files} that {agreeing(number, 'is', 'are')} not read as {what}: {reasons}",)


def every_file(
    folder: Path, reason: str = "", above: tuple[tuple[int, int], ...] = ()
) -> Iterator[tuple[Path, str]]:
    """Yield whatever is no folder in a folder and the folders in it, and why it is hidden, if it is.

    A linked folder is searched as well, unless it is one of those that it lies in.

    Args:
        folder: An existing one.
        reason: Why it is hidden itself.
        above: Device and number of the folders that it lies in.
    """
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for entry in sorted(folder.iterdir()):
        why = reason or hidden(entry.name)
        if entry.is_dir():
            yield from every_file(entry, why, (*above, here))
        else:
            yield entry, why


def hidden(name: str) -> str:
    """Return why a file or folder of this name is hidden, or nothing."""
    if name.startswith("._") or name == "__MACOSX":
        return "._* or __MACOSX of a Mac"
    if name.lower() in ("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin"):
        return "Thumbs.db or desktop.ini of Windows"
    return "hidden" if name.startswith(".") else ""


def _is_class(folder: Path) -> bool:
    return folder.name not in NO_CLASSES and not hidden(folder.name)


def _leads_nowhere(path: Path) -> bool:
    """Return whether it is a link to nothing, which is left to the reader, who tells it."""
    return path.is_symlink() and not path.exists()


def _holds(folder: Path, suffixes: Collection[str]) -> bool:
    return any(file.suffix.lower() in suffixes and not reason for file, reason in every_file(folder))


def _holds_classes(folder: Path, suffixes: Collection[str]) -> bool:
    return any(entry.is_dir() and _is_class(entry) and _holds(entry, suffixes) for entry in folder.iterdir())

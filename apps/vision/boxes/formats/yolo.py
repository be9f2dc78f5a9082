"""Boxes in the text files of YOLO, a file a picture, with a `data.yaml` that names parts and classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apps.vision.boxes.annotated import Annotated, number
from core.data.images import suffixes
from core.errors import UserError
from core.wording import counted

PARTS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}


def read_yolo(file: Path) -> dict[str, list[Annotated]]:
    """Read what a `data.yaml` tells of.

    Args:
        file: With `names`, `train`, and perhaps `path`, `val` and `test`: each a folder of pictures, a text
            file that lists them, or several of these.

    Raises:
        UserError: A file can't be read, or names what there is not.
    """
    tree = _tree(file)
    names = _names(tree.get("names"), file)
    parts: dict[str, list[Annotated]] = {}
    for key, part in PARTS.items():
        told = tree.get(key)
        sources = told if isinstance(told, list) else [told] if told else []
        for source in sources:
            for picture in _pictures(str(source), tree, file):
                parts.setdefault(part, []).append(_read(picture, names))
    if "train" not in parts:
        raise UserError(f"{file} names no training pictures: give train: FOLDER. Received: {list(tree)}.")
    return parts


def _tree(file: Path) -> dict[str, Any]:
    import yaml

    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        first = str(error).splitlines()[0]
        raise UserError(f"{file} can't be read as YAML: {first}.") from None
    if not isinstance(tree, dict):
        raise UserError(f"{file} must hold names and train, as YOLO has them. Received: {tree!r}.")
    return tree


def _names(told: object, file: Path) -> dict[int, str]:
    named = dict(enumerate(told)) if isinstance(told, list) else told
    if not isinstance(named, dict) or not named or not all(isinstance(key, int) for key in named):
        raise UserError(
            f"{file}: names must be a list of classes, or numbers to classes. Received: {told!r}."
        )
    return {key: str(name) for key, name in named.items()}


def _pictures(source: str, tree: dict[str, Any], file: Path) -> list[Path]:
    """Return the pictures of a folder or of a list; paths start from `path`, or from beside the file."""
    root = file.parent / str(tree.get("path") or "")
    # What other programs wrote often climbs out of the folder that the pictures were moved into since.
    places = [root / source, file.parent / source, file.parent / source.lstrip("./")]
    place = next((each for each in places if each.exists()), None)
    if place is None:
        raise UserError(f"{file} names a folder or list of pictures that does not exist. Received: {source}.")
    if place.is_dir():
        return sorted(path for path in place.rglob("*") if path.suffix.lower() in suffixes())
    lines = [line.strip() for line in place.read_text(encoding="utf-8-sig").splitlines()]
    return [_listed(line, place, root) for line in lines if line]


def _listed(line: str, place: Path, root: Path) -> Path:
    path = next((each for each in (place.parent / line, root / line) if each.is_file()), None)
    if path is None:
        raise UserError(f"{place} lists a picture that does not exist. Received: {line}.")
    return path


def _labels_of(picture: Path) -> Path:
    """Return where the boxes of a picture stand: in `labels` where it lies in `images`, else beside it."""
    folders = list(picture.parts)
    for place in range(len(folders) - 2, -1, -1):
        if folders[place] == "images":
            return Path(*folders[:place], "labels", *folders[place + 1 :]).with_suffix(".txt")
    return picture.with_suffix(".txt")


def _read(picture: Path, names: dict[int, str]) -> Annotated:
    file = _labels_of(picture)
    boxes, labels = [], []
    lines: Sequence[str] = file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else ()
    for place, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields:
            continue
        where = f"{file}, line {place}"
        if len(fields) < 5:
            raise UserError(
                f"{where} must hold a class and the middle, width and height of a box as shares of the "
                f"picture. Received: {line.strip()!r}."
            )
        values = [number(field, "each field", where) for field in fields]
        if values[0] not in names:
            raise UserError(
                f"{where} is of a class that data.yaml does not name; it has "
                f"{counted(len(names), 'class', 'classes')}. Received: {fields[0]}."
            )
        boxes.append(_box(values[1:], where))
        labels.append(names[int(values[0])])
    return Annotated(picture, boxes, labels, None, str(file), as_shares=True)


def _box(values: Sequence[float], where: str) -> tuple[float, float, float, float]:
    """Return the box of its middle and sides, or that around the corners of an outline."""
    if max(map(abs, values)) > 2:
        raise UserError(f"{where}: boxes are shares of the picture, 0 to 1. Received: {max(values):g}.")
    if len(values) > 5:  # an outline; a fifth number is a score
        across, down = values[0::2], values[1::2]
        return min(across), min(down), max(across), max(down)
    x, y, width, height = values[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2

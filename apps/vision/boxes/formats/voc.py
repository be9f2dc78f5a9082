"""Boxes in the XML files of Pascal VOC and of LabelImg, a file a picture, with lists of the parts."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from xml.etree import ElementTree

from apps.vision.boxes.annotated import Annotated, Pictures, number, part_of
from core.errors import UserError

LISTS = ("ImageSets/Main", "ImageSets")
SIDES = ("xmin", "ymin", "xmax", "ymax")


def read_voc(folder: Path) -> dict[str, list[Annotated]]:
    """Read the XML files of a folder, by its `ImageSets` lists or by folders named after the parts.

    Raises:
        UserError: A file can't be read, or a list names what there is not.
    """
    files = sorted(path for path in folder.rglob("*.xml") if not path.name.startswith("."))
    pictures = Pictures(folder)
    parts: dict[str, list[Annotated]] = {}
    lists = _lists(folder)
    if lists:
        by_stem = {path.stem: path for path in files}
        for part, path in lists.items():
            parts[part] = [_read(by_stem[stem], pictures) for stem in _stems(path, by_stem.keys())]
        return parts
    for file in files:
        inside = file.relative_to(folder).parts[:-1]
        part = next((part for part in map(part_of, inside) if part), "train")
        parts.setdefault(part, []).append(_read(file, pictures))
    return parts


def _lists(folder: Path) -> dict[str, Path]:
    for place in LISTS:
        lists = {
            part: path
            for path in sorted((folder / place).glob("*.txt"))
            if (part := part_of(path.stem)) is not None and path.stem.lower() != "trainval"
        }
        if lists:
            return lists
    return {}


def _stems(path: Path, known: Container[str]) -> Iterator[str]:
    for line, text in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        fields = text.split()
        if not fields or (len(fields) > 1 and fields[1] == "-1"):  # lists of a class mark its absence
            continue
        stem = fields[0]
        if stem not in known:
            raise UserError(
                f"{path}, line {line} names a picture without an XML file: add {stem}.xml, or take it out "
                f"of the list. Received: {stem!r}."
            )
        yield stem


def _read(file: Path, pictures: Pictures) -> Annotated:
    try:
        root = ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, OSError, ValueError) as error:
        raise UserError(f"{file} can't be read as XML: {error}. Mend it, or remove it.") from None
    if root.tag != "annotation":
        raise UserError(f"{file} must hold an <annotation> as VOC has it. Received: <{root.tag}>.")
    boxes, labels = [], []
    for place, each in enumerate(root.iter("object"), start=1):
        where = f"{file}, object {place}"
        label = (each.findtext("name") or "").strip()
        if not label:
            raise UserError(f"{where} has no <name>: give the class of the box. Received: none.")
        sides = [number(each.findtext(f"bndbox/{side}"), f"<{side}>", where) for side in SIDES]
        boxes.append((sides[0], sides[1], sides[2], sides[3]))
        labels.append(label)
    height, width = (root.findtext(f"size/{side}") for side in ("height", "width"))
    sides = [number(side, "<size>", str(file)) if side else 0.0 for side in (height, width)]
    size = (round(sides[0]), round(sides[1])) if all(side >= 1 for side in sides) else None
    return Annotated(_picture(file, root, pictures), boxes, labels, size, str(file))


def _picture(file: Path, root: ElementTree.Element, pictures: Pictures) -> Path:
    """Return the picture of the name that the file has itself, which is copied along with it, or tells."""
    try:
        return pictures.find(file.stem, file.parent, str(file))
    except UserError:
        return pictures.find(root.findtext("filename") or file.stem, file.parent, str(file))

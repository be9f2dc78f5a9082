"""Boxes in the JSON of COCO, one file for all pictures or for those of a part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from apps.vision.boxes.annotated import Annotated, Passed, Pictures, number, part_of
from core.errors import UserError

TABLES = ("images", "annotations", "categories")


def is_coco(path: Path) -> bool:
    """Return whether a JSON file tells of boxes as COCO does, by the names in its beginning and its end."""
    with path.open("rb") as file:
        content = file.read(1 << 16)
        file.seek(max(path.stat().st_size - (1 << 16), 0))
        content += file.read()
    return sum(f'"{name}"'.encode() in content for name in TABLES) >= 2


def read_coco(files: Iterable[Path], folder: Path, passed: Passed) -> dict[str, list[Annotated]]:
    """Read files of COCO, each a part that its own name or that of its folder tells.

    Args:
        files: At least one.
        folder: Where the pictures are, or folders with them.
        passed: Takes the crowds that are passed over.

    Raises:
        UserError: A file can't be read, or names what there is not.
    """
    pictures = Pictures(folder)
    parts: dict[str, list[Annotated]] = {}
    for file in files:
        above = file.relative_to(folder).parts[:-1] if file.is_relative_to(folder) else ()
        part = part_of(file.stem) or next((each for each in map(part_of, above[::-1]) if each), "train")
        parts.setdefault(part, []).extend(_read(file, pictures, passed))
    return parts


def _read(file: Path, pictures: Pictures, passed: Passed) -> list[Annotated]:
    try:
        tree = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} can't be read as JSON: {error}.") from None
    tables = {name: tree.get(name) if isinstance(tree, dict) else None for name in TABLES}
    for name, table in tables.items():
        if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
            raise UserError(f"{file} must hold a list {name!r} of objects, as COCO has it.")
    labels = {_of(row, "id", file): str(_of(row, "name", file)) for row in tables["categories"] or []}
    boxes: dict[Any, list[tuple[float, float, float, float]]] = {}
    names: dict[Any, list[str]] = {}
    known = {_of(row, "id", file) for row in tables["images"] or []}
    for row in tables["annotations"] or []:
        where = f"{file}, annotation {row.get('id', '?')}"
        image, category = _of(row, "image_id", file), _of(row, "category_id", file)
        if image not in known or category not in labels:
            strange = f"image {image}" if image not in known else f"category {category}"
            raise UserError(f"{where} is of what the file does not list. Received: {strange}.")
        if row.get("iscrowd"):
            passed.add("box around a crowd passed over", "boxes around crowds passed over")
            continue
        box = _of(row, "bbox", file)
        if not isinstance(box, list) or len(box) != 4:
            raise UserError(f"{where}: bbox must be [left, top, width, height]. Received: {box!r}.")
        left, top, width, height = (number(side, "bbox", where) for side in box)
        boxes.setdefault(image, []).append((left, top, left + width, top + height))
        names.setdefault(image, []).append(labels[category])
    return [
        Annotated(
            pictures.find(str(_of(row, "file_name", file)), file.parent, str(file)),
            boxes.get(row["id"], []),
            names.get(row["id"], []),
            _size(row),
            f"{file}, image {row['id']}",
        )
        for row in tables["images"] or []
    ]


def _of(row: Mapping[str, Any], name: str, file: Path) -> Any:
    if name not in row:
        raise UserError(f"{file}: {name!r} is missing. Received: {json.dumps(row)[:80]}.")
    return row[name]


def _size(row: Mapping[str, Any]) -> tuple[int, int] | None:
    height, width = row.get("height"), row.get("width")
    if isinstance(height, int | float) and isinstance(width, int | float):
        return int(height), int(width)
    return None


def coco_of(
    names: Iterable[str], answers: Iterable[Mapping[str, Any]], labels: Iterable[str]
) -> dict[str, Any]:
    """Return answers as the JSON of COCO, with a score for each box.

    Args:
        names: Of the picture files.
        answers: As a detector gives them: `boxes` and `size`.
        labels: Names of the classes, which are numbered from 1.

    Example:

    >>> answer = {"boxes": [{"label": "cat", "box": [1, 2, 4, 8], "score": 0.5}], "size": [9, 9]}
    >>> coco_of(["a.png"], [answer], ["cat"])["annotations"][0]["bbox"]
    [1, 2, 3, 6]
    """
    numbers = {label: place for place, label in enumerate(labels, start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image, (name, answer) in enumerate(zip(names, answers, strict=True), start=1):
        height, width = answer["size"]
        images.append({"id": image, "file_name": name, "height": height, "width": width})
        for each in answer["boxes"]:
            left, top, right, bottom = each["box"]
            sides = [left, top, right - left, bottom - top]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": numbers[each["label"]],
                    "bbox": sides,
                    "area": sides[2] * sides[3],
                    "iscrowd": 0,
                    "score": each["score"],
                }
            )
    categories = [{"id": place, "name": label} for label, place in numbers.items()]
    return {"images": images, "annotations": annotations, "categories": categories}

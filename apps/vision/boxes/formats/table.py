"""Boxes in a table, a row each: the picture's file, the four sides, the class, perhaps the part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from apps.vision.boxes.annotated import Annotated, Pictures, number, part_of
from core.errors import UserError
from core.wording import counted

# The names that people give to each column, the likeliest first.
FILES = ("file", "filename", "file_name", "image", "image_path", "path", "picture", "image_id")
LABELS = ("label", "class", "class_name", "name", "category")
PARTS = ("split", "part", "set", "subset")
CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
    ("x1", "y1", "x2", "y2"),
    ("x_min", "y_min", "x_max", "y_max"),
)
SIDES = (("x", "y", "w", "h"), ("bbox_x", "bbox_y", "bbox_width", "bbox_height"))


def read_boxes_table(file: Path) -> dict[str, list[Annotated]]:
    """Read a CSV or TSV with a header; a row without sides tells of a picture without boxes.

    Args:
        file: Its pictures lie beside it or in folders there.

    Raises:
        UserError: It lacks a column, or a row is no box.
    """
    from core.data.tables import table_lines

    frame, bad = table_lines(file, False)
    if bad:
        raise UserError(
            f"{file}, line {bad[0]} has another number of fields than the header. "
            f"Received: {counted(len(bad), 'such line')}."
        )
    lines = frame.pop("_line").tolist()
    columns = {str(name).strip().lower(): place for place, name in enumerate(frame.columns)}
    chosen = {
        "file": _column(columns, FILES, "the picture's file", file),
        "label": _column(columns, LABELS, "the class", file),
    }
    part_column = next((columns[name] for name in PARTS if name in columns), None)
    corners = next((names for names in (*CORNERS, *SIDES) if set(names) <= set(columns)), None)
    if corners is None:
        raise UserError(
            f"{file} needs columns for the sides of boxes, such as {', '.join(CORNERS[0])}. "
            f"Received: {', '.join(columns)}."
        )
    pictures, rows = Pictures(file.parent), _Rows()
    for line, row in zip(lines, frame.itertuples(index=False, name=None), strict=True):
        where = f"{file}, line {line}"
        values = ["" if value is None or value != value else str(value).strip() for value in row]
        part = "train"
        if part_column is not None and values[part_column]:
            part = part_of(values[part_column]) or _strange_part(values[part_column], where)
        key = (part, values[chosen["file"]])
        if key not in rows.pictures:
            path = pictures.find(key[1], file.parent, where)
            rows.pictures[key] = Annotated(path, [], [], _size(columns, values, where), where)
        sides = [values[columns[name]] for name in corners]
        if any(sides):
            rows.add(key, _box(sides, corners in SIDES, where), values[chosen["label"]], where)
    return rows.parts()


class _Rows:
    """The pictures of a table, each with the boxes that were read of it so far."""

    def __init__(self) -> None:
        self.pictures: dict[tuple[str, str], Annotated] = {}

    def add(
        self, key: tuple[str, str], box: tuple[float, float, float, float], label: str, where: str
    ) -> None:
        if not label:
            raise UserError(f"{where} has no class for its box. Received: ''.")
        known = self.pictures[key]
        self.pictures[key] = known._replace(boxes=[*known.boxes, box], labels=[*known.labels, label])

    def parts(self) -> dict[str, list[Annotated]]:
        parts: dict[str, list[Annotated]] = {}
        for (part, _), picture in self.pictures.items():
            parts.setdefault(part, []).append(picture)
        return parts


def _column(columns: Mapping[str, int], names: Sequence[str], what: str, file: Path) -> int:
    name = next((name for name in names if name in columns), None)
    if name is None:
        raise UserError(
            f"{file} needs a column for {what}: one of {', '.join(names)}. Received: {', '.join(columns)}."
        )
    return columns[name]


def _strange_part(value: str, where: str) -> str:
    raise UserError(f"{where}: a part must be train, validation or test. Received: {value!r}.")


def _size(columns: Mapping[str, int], values: Sequence[str], where: str) -> tuple[int, int] | None:
    sides = [values[columns[name]] if name in columns else "" for name in ("height", "width")]
    if not all(sides):
        return None
    return round(number(sides[0], "height", where)), round(number(sides[1], "width", where))


def _box(sides: Sequence[str], has_sizes: bool, where: str) -> tuple[float, float, float, float]:
    left, top, right, bottom = (number(side, "each side", where) for side in sides)
    return (left, top, left + right, top + bottom) if has_sizes else (left, top, right, bottom)

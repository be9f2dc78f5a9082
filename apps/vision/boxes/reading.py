"""From a source to pictures in one shape with clean boxes, as examples; each picture is decoded once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from apps.vision.boxes.annotated import SHOWN, Annotated, Parts, Passed
from apps.vision.boxes.formats.coco import is_coco, read_coco
from apps.vision.boxes.formats.table import read_boxes_table
from apps.vision.boxes.formats.voc import read_voc
from apps.vision.boxes.formats.yolo import read_yolo
from apps.vision.boxes.letterbox import Size, letterboxed
from core.data.class_names import plain_name
from core.data.examples import Column, Examples, Ragged
from core.data.larger_than_memory import allocated, in_threads
from core.data.picture import GREY_MODES, in_shape
from core.errors import UserError

STEP = 32  # pixels between the places of the coarsest level: what the sides of a shape are multiples of
LONGEST = 320  # pixels of the longer side, where nobody says how many
SEPARATOR = "\t"  # of the labels of a picture in their column
TURNED = (5, 6, 7, 8)  # orientations by which height and width change places
TABLES = (".csv", ".tsv")
ROUNDING = 1.0  # pixels by which a box may stand out of its picture without a word


def annotated_parts(path: Path, passed: Passed) -> Parts:
    """Return what the files at a path tell of pictures and boxes.

    Args:
        path: A folder in one of the formats, or the one folder in it that is; or a `data.yaml`, a JSON of
            COCO, or a table.
        passed: Takes what is passed over.

    Raises:
        UserError: There is nothing of the kind, or several formats.
    """
    if path.is_file():
        return _of_file(path, path.parent, passed)
    kinds = _formats(path)
    if not kinds:
        inner = [entry for entry in sorted(path.iterdir()) if entry.is_dir() and _formats(entry)]
        if len(inner) == 1:
            return annotated_parts(inner[0], passed)
        raise UserError(
            f"{path} tells of no boxes: give a folder with data.yaml, with XML files of VOC, with a JSON of "
            "COCO, or a CSV of boxes. "
            f"Received: {', '.join(sorted(entry.name for entry in path.iterdir())[:SHOWN])}."
        )
    if len(kinds) > 1:
        raise UserError(
            f"{path} tells of boxes in several ways: name the file of one, such as data.yaml. "
            f"Received: {', '.join(kinds)}."
        )
    ((kind, files),) = kinds.items()
    if kind == "VOC":
        return read_voc(path)
    if kind == "COCO":
        return read_coco(files, path, passed)
    if len(files) > 1:
        raise UserError(
            f"{path} holds several files of boxes: name one. "
            f"Received: {', '.join(file.name for file in files[:SHOWN])}."
        )
    return _of_file(files[0], path, passed)


def _of_file(file: Path, folder: Path, passed: Passed) -> Parts:
    suffix = file.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return read_yolo(file)
    if suffix == ".json":
        return read_coco([file], folder, passed)
    if suffix in TABLES:
        return read_boxes_table(file)
    raise UserError(f"Boxes are told by .yaml, .json, .csv or a folder of .xml. Received: {file}.")


def _formats(folder: Path) -> dict[str, list[Path]]:
    """Return the files that tell of boxes in a folder, by their format."""
    seen = {
        "YOLO": sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]),
        "COCO": [file for file in sorted(folder.rglob("*.json")) if is_coco(file)],
        "VOC": [file for file in [next(folder.rglob("*.xml"), None)] if file and _is_near(file, folder)],
        "CSV": sorted(file for ending in TABLES for file in folder.glob(f"*{ending}")),
    }
    return {kind: files for kind, files in seen.items() if files}


def _is_near(file: Path, folder: Path) -> bool:
    """Return whether a file of VOC lies in a folder as they do, and not in a data set inside of it."""
    return len(file.relative_to(folder).parts) <= 3 and not any(
        (entry / "Annotations").is_dir() for entry in folder.iterdir()
    )


class Seen(NamedTuple):
    """What a picture file says of itself.

    Args:
        size: Height and width of the pixels as they are stored.
        orientation: How they are turned to be upright, 1 to 8, as EXIF has it.
        grey: Whether it has no colour.
    """

    size: Size
    orientation: int
    grey: bool

    @property
    def upright(self) -> Size:
        """Height and width of the upright picture."""
        return self.size[::-1] if self.orientation in TURNED else self.size


def seen_of(path: Path) -> Seen | None:
    """Return what a picture file says of itself, or nothing where it can't be read."""
    from PIL import Image

    try:
        with Image.open(path) as opened:
            orientation = int(opened.getexif().get(0x0112, 1) or 1)
            return Seen((opened.height, opened.width), orientation, opened.mode in GREY_MODES)
    except Exception:  # what a decoder raises at a broken file is anything
        return None


def shape_for(sizes: Sequence[Size], longest: int | None) -> Size:
    """Return the shape that pictures of these sizes are brought to: their usual proportions.

    Args:
        sizes: Height and width of each, at least one.
        longest: The longer side; by default that of the largest picture, `LONGEST` at most.

    Example:

    >>> shape_for([(480, 640), (480, 640)], None)
    (256, 320)
    """
    sides = np.array(sizes, np.float64)
    longer = longest or min(sides.max(), LONGEST)
    ratio = math.exp(np.log(sides[:, 0] / sides[:, 1]).mean())
    height, width = (longer * ratio, longer) if ratio < 1 else (longer, longer / ratio)
    # A pixel or two over a step are not worth another row of places.
    return (
        max(math.ceil((height - 2) / STEP), 1) * STEP,
        max(math.ceil((width - 2) / STEP), 1) * STEP,
    )


def read_boxes(
    path: Path, *, longest: int | None, channels: int | None, skip_bad: bool
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read pictures with boxes, by the parts that the source names.

    Args:
        path: As `annotated_parts` takes it.
        longest: Longer side of the shape that all pictures are brought to; by default as `shape_for` says.
        channels: 1 for grey, 3 for colour; by default grey where all pictures are.
        skip_bad: Leave out pictures that can't be read, and count them; else refuse them.

    Returns:
        The parts, as `examples_of` makes them; and notes of what was passed over or mended.

    Raises:
        UserError: There are no pictures, or one can't be read.
    """
    passed = Passed()
    parts = annotated_parts(path, passed)
    if not parts.get("train"):
        raise UserError(f"{path} tells of no training pictures. Received: {', '.join(parts) or 'no part'}.")
    files = [each.path for part in parts.values() for each in part]
    seen = dict(zip(files, in_threads(seen_of, files), strict=True))
    known = [each for each in (seen[picture.path] for picture in parts["train"]) if each]
    if not known:
        raise UserError(f"No training picture of {path} can be read. Received: {files[0]}.")
    shape = shape_for([each.upright for each in known], longest)
    if channels is None:
        channels = 1 if all(each.grey for each in seen.values() if each) else 3
    examples = {}
    for part, pictures in parts.items():
        examples[part] = _examples(pictures, seen, (*shape, channels), str(path), passed, skip_bad)
    return examples, passed.notes()


def _examples(
    pictures: Sequence[Annotated],
    seen: dict[Path, Seen | None],
    shape: tuple[int, int, int],
    source: str,
    passed: Passed,
    skip_bad: bool,
) -> Examples:
    images = allocated((len(pictures), *shape), np.uint8)
    good = np.zeros(len(pictures), bool)

    def load(row: int) -> None:
        picture = opened(pictures[row].path, shape[2], skip_bad)
        if picture is not None:
            images[row], good[row] = letterboxed(picture, shape[:2]), True

    for _ in in_threads(load, range(len(pictures))):
        pass
    passed.add(
        "picture left out that can't be read", "pictures left out that can't be read", int((~good).sum())
    )
    rows, clean = [], []
    for row in np.flatnonzero(good).tolist():
        mended = cleaned(pictures[row], seen[pictures[row].path], passed, skip_bad)
        if mended is not None:
            rows.append(row)
            clean.append(mended)
    sizes = np.array([each.size for each in clean], np.int32).reshape(-1, 2)
    every = Examples({"image": images}, source)
    return examples_of(
        every.take(np.array(rows, np.int64))["image"],
        sizes,
        [each.boxes for each in clean],
        [each.labels for each in clean],
        source,
        [str(each.path) for each in clean],
    )


def examples_of(
    images: np.ndarray,
    sizes: np.ndarray,
    boxes: Sequence[Sequence[Sequence[float]]],
    labels: Sequence[Sequence[str]],
    source: str,
    paths: Sequence[str] | None = None,
) -> Examples:
    """Return pictures with boxes as examples.

    Args:
        images: uint8, all in one shape, `(num_pictures, height, width, channels)`.
        sizes: Heights and widths that the pictures had, int, `(num_pictures, 2)`.
        boxes: `(left, top, right, bottom)` in the pixels of these sizes, of each picture.
        labels: The class of each box.
        source: Where they come from, for messages.
        paths: Of the files, if they are files.

    Returns:
        Columns `image`, `size`, `boxes` (ragged float32, `(num_boxes, 4)`), `labels` (text, tabs between)
        and, of files, `path`.
    """
    rows = [np.asarray(each, np.float32).reshape(-1, 4) for each in boxes]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in rows], dtype=np.int64)])
    columns: dict[str, Column | Sequence] = {
        "image": images,
        "size": np.asarray(sizes, np.int32),
        "boxes": Ragged(np.concatenate([np.zeros((0, 4), np.float32), *rows]), offsets),
        "labels": np.array([SEPARATOR.join(each) for each in labels], np.dtypes.StringDType()),
    }
    if paths is not None:
        columns["path"] = list(paths)
    return Examples(columns, source)


def labels_in(examples: Examples) -> list[list[str]]:
    """Return the labels of the boxes of each picture."""
    return [text.split(SEPARATOR) if text else [] for text in examples["labels"].tolist()]


def opened(path: Path, channels: int | None, skip_bad: bool = False) -> np.ndarray | None:
    """Return the picture of a file, upright and in its own size, or nothing where it is left out.

    Raises:
        UserError: It can't be read.
    """
    from PIL import Image

    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        with Image.open(path) as picture:
            return in_shape(picture, None, channels)
    except FileNotFoundError:
        raise UserError(f"There is no picture at this path. Received: {path}.") from None
    except Exception as error:  # what a decoder raises at a broken file is anything
        if skip_bad:
            return None
        raise UserError(
            f"{path} can't be read as a picture: {str(error).rstrip('.')}. Remove it; a training leaves "
            "such files out with skip_bad=true."
        ) from None


def cleaned(picture: Annotated, seen: Seen | None, passed: Passed, skip_bad: bool) -> Annotated | None:
    """Return a picture with boxes inside of it, upright, none twice; nothing where it is left out.

    Args:
        picture: As its file tells it.
        seen: What the picture file says of itself.
        passed: Takes what is mended or passed over, such as boxes without area.
        skip_bad: Leave out a picture whose boxes are of another size; else refuse it.

    Returns:
        Boxes in the pixels of `size`, that of the upright picture.
    """
    if seen is None:
        return None
    boxes = np.array(picture.boxes, np.float64).reshape(-1, 4)
    height, width = seen.upright
    if picture.as_shares:
        boxes = boxes * np.array([width, height] * 2)
    elif picture.size is not None and picture.size != seen.upright:
        if picture.size == seen.size:
            boxes = turned(boxes, seen)
            passed.add("picture turned upright with its boxes", "pictures turned upright with their boxes")
        elif not _same_proportions(picture.size, seen.upright):
            if skip_bad:
                passed.add(
                    "picture left out whose boxes are of one of another size",
                    "pictures left out whose boxes are of one of another size",
                )
                return None
            raise UserError(
                f"{picture.where} tells of a picture of another size, so its boxes can't be placed. "
                f"Received: {picture.size[1]} x {picture.size[0]}; {picture.path} is {width} x {height}."
            )
        else:
            boxes = boxes * np.array([width / picture.size[1], height / picture.size[0]] * 2)
            passed.add(
                "picture of another size than its boxes tell, which were scaled alike",
                "pictures of another size than their boxes tell, which were scaled alike",
            )
    kept, own = _kept(boxes, picture.labels, (height, width), passed)
    if not kept:
        passed.add("picture without boxes", "pictures without boxes")
    labels = [plain_name(picture.labels[row]) for row in kept]
    return picture._replace(boxes=own[kept].tolist(), labels=labels, size=(height, width), as_shares=False)


def _same_proportions(told: Size, real: Size) -> bool:
    return min(told) > 0 and abs(told[0] * real[1] - told[1] * real[0]) <= max(*told, *real)


def _kept(
    boxes: np.ndarray, labels: Sequence[str], size: Size, passed: Passed
) -> tuple[list[int], np.ndarray]:
    """Return which boxes stay, and all of them cut off at the borders of their picture."""
    height, width = size
    flat = (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])
    own = np.clip(boxes, 0.0, [width, height, width, height])
    outside = ~flat & ((own[:, 2] <= own[:, 0]) | (own[:, 3] <= own[:, 1]))
    cut = ~flat & ~outside & (np.abs(own - boxes).max(axis=1, initial=0.0) > ROUNDING)
    passed.add("box without area left out", "boxes without area left out", int(flat.sum()))
    passed.add(
        "box outside of its picture left out", "boxes outside of their picture left out", int(outside.sum())
    )
    passed.add(
        "box cut off at the border of its picture",
        "boxes cut off at the border of their picture",
        int(cut.sum()),
    )
    seen: set[tuple[object, ...]] = set()
    kept = []
    for row in np.flatnonzero(~flat & ~outside).tolist():
        twin = (labels[row], *own[row].round(2).tolist())
        passed.add(
            "box left out that stands there twice", "boxes left out that stand there twice", twin in seen
        )
        if twin not in seen:
            kept.append(row)
        seen.add(twin)
    return kept, own


def turned(boxes: np.ndarray, seen: Seen) -> np.ndarray:
    """Return boxes of pixels as they are stored in those of the upright picture.

    Example:

    >>> on_its_side = Seen((10, 20), 6, False)  # to be turned a quarter clockwise
    >>> turned(np.array([[0.0, 0.0, 4.0, 2.0]]), on_its_side).tolist()
    [[8.0, 0.0, 10.0, 4.0]]
    """
    height, width = seen.size
    x, y = boxes[:, 0::2], boxes[:, 1::2]
    x, y = {
        1: (x, y),
        2: (width - x, y),
        3: (width - x, height - y),
        4: (x, height - y),
        5: (y, x),
        6: (height - y, x),
        7: (height - y, width - x),
        8: (y, width - x),
    }.get(seen.orientation, (x, y))
    x, y = np.sort(x, axis=1), np.sort(y, axis=1)
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)

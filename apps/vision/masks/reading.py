"""Pictures and their masks, in folders beside each other, as examples."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.vision.any_size.reading import as_examples, decoded_file, is_grey
from core.data.examples import Examples, Ragged
from core.data.folders import PART_NAMES, files_inside, passed_over_notes
from core.data.images import suffixes
from core.data.larger_than_memory import in_threads
from core.data.picture import MAX_PIXELS
from core.data.whole_picture import load_whole, require_sides
from core.errors import UserError
from core.wording import counted

PICTURES = ("image", "images", "img", "imgs", "pictures", "jpegimages", "x")
MASKS = ("label", "labels", "mask", "masks", "segmentationclass", "annotations", "gt", "y")
ENDINGS = ("_mask", "_masks", "_label", "_seg", "_segmentation", "_gt", "-mask", "-label")
MOST_CLASSES = 200
UNLABELLED = 255  # in the masks of examples: pixels that nobody has judged


@dataclass(frozen=True)
class MaskClass:
    """A class of masks.

    Args:
        name: How people call it.
        value: Of its pixels in mask files: a grey level or index, or a colour such as `#ff0000`.
    """

    name: str
    value: int | str


def read_folders(
    path: Path,
    *,
    channels: int | None,
    names: Mapping[str, int | str],
    unlabelled: int | None,
    skip_bad: bool,
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read pictures with their masks, by the parts that folders are named after.

    Args:
        path: A folder that holds one of pictures (`images`, `image`, `JPEGImages`, ...) and one of masks
            (`masks`, `label`, `SegmentationClass`, ...) whose files bear the same names; or folders of the
            parts that do, above or below these two.
        channels: 1 for grey pictures, 3 for colour; by default grey where all are.
        names: Of classes, to the values of their pixels in masks; by default each value is its own name.
        unlabelled: The value of pixels that nobody has judged, such as 255 in masks of Pascal VOC.
        skip_bad: Leave out pairs that can't be read, and count them; else refuse them.

    Returns:
        The parts, with columns `image` and `mask` (bytes), `height`, `width`, `path`, `classes` (text, for
        `classes_of`) and, where all names of files end in one, `number`; and notes of what was left out.

    Raises:
        UserError: A file can't be read, lacks its mask, or differs from it in size; or a mask holds values
            that no class has. The message names the file.
    """
    passed_over: Counter[str] = Counter()
    pairs = {part: _pairs(*folders, passed_over, skip_bad) for part, folders in _folders(path).items()}
    notes = [note for _, part_notes in pairs.values() for note in part_notes]
    listed = {part: files for part, (files, _) in pairs.items()}
    if not listed.get("train"):
        raise UserError(f"{path} holds no pictures with masks to train on.")
    if channels is None:
        channels = 1 if all(is_grey(picture) for each in listed.values() for picture, _ in each) else 3
    read = {part: _read(files, channels, skip_bad) for part, files in listed.items()}
    known = {value: name for name, value in names.items()}
    if not known:
        values = {value for own in read["train"].values for value in own} - {unlabelled}
        known = {
            value: str(value) for value in sorted(values, key=lambda each: (isinstance(each, str), each))
        }
    if len(known) < 2:
        raise UserError(
            f"The masks of {path} must hold two classes or more. "
            f"Received: {', '.join(map(str, known)) or 'none'}."
        )
    classes = [MaskClass(name, value) for value, name in known.items()]
    numbered = all(_number(file) is not None for own in read.values() for file in own.files)
    parts = {}
    for part, own in read.items():
        if own.left_out:
            notes.append(f"{counted(own.left_out, 'picture')} of {part} left out that can't be used")
        parts[part] = own.examples(classes, unlabelled, numbered, str(path))
    return parts, (*passed_over_notes(passed_over, path.name, "pictures"), *notes)


def with_classes(examples: Examples, classes: Sequence[MaskClass]) -> Examples:
    """Return examples that tell which classes the numbers in their masks stand for."""
    written = json.dumps([[each.name, each.value] for each in classes])
    return examples.with_columns(classes=np.full(len(examples), written))


def classes_of(examples: Examples) -> list[MaskClass]:
    """Return the classes that the numbers in masks stand for, in their order."""
    return [MaskClass(name, value) for name, value in json.loads(str(examples["classes"][0]))]


@dataclass(frozen=True)
class _Read:
    files: list[Path]
    masks: list[Path]
    sizes: list[tuple[int, int]]
    images: Ragged
    places: Ragged
    values: list[list[int | str]]
    left_out: int

    def examples(
        self, classes: Sequence[MaskClass], unlabelled: int | None, numbered: bool, source: str
    ) -> Examples:
        """Return the pairs, the numbers in their masks being places among the classes."""
        ids = {each.value: place for place, each in enumerate(classes)}
        if unlabelled is not None:
            ids[unlabelled] = UNLABELLED
        for row, own in enumerate(self.values):
            strange = [value for value in own if value not in ids]
            if strange:
                raise UserError(
                    f"{self.masks[row]} holds pixels of no known class: leave it out, name the class in "
                    "classes, or give unlabelled=VALUE for pixels that nobody has judged. Known: "
                    f"{', '.join(str(each.value) for each in classes[:12])}. "
                    f"Received: {', '.join(map(str, strange[:12]))}."
                )
            block = slice(self.places.offsets[row], self.places.offsets[row + 1])
            self.places.values[block] = np.array([ids[value] for value in own], np.uint8)[
                self.places.values[block]
            ]
        paths = [str(file) for file in self.files]
        examples = as_examples(self.images, self.sizes, paths, source).with_columns(mask=self.places)
        if numbered:
            numbers = np.array([_number(file) for file in self.files], np.int64)
            examples = examples.with_columns(number=numbers)
        return with_classes(examples, classes)


def _read(files: Sequence[tuple[Path, Path]], channels: int, skip_bad: bool) -> _Read:
    def load(pair: tuple[Path, Path]) -> tuple[np.ndarray, np.ndarray, list[int | str]] | None:
        try:
            picture = decoded_file(pair[0], channels)
            places, values = decoded_mask(pair[1])
            if places.shape != picture.shape[:2]:
                raise UserError(
                    f"{pair[1]} must have the size of its picture, {picture.shape[1]} x "
                    f"{picture.shape[0]}, both upright. Received: {places.shape[1]} x {places.shape[0]}."
                )
            return picture, places, values
        except UserError:
            if skip_bad:
                return None
            raise

    good: list[tuple[Path, Path]] = []
    sizes: list[tuple[int, int]] = []
    every: list[list[int | str]] = []
    masks: list[np.ndarray] = []

    def rows() -> Iterator[np.ndarray]:
        for pair, read in zip(files, in_threads(load, files), strict=True):
            if read is not None:
                picture, places, values = read
                good.append(pair)
                sizes.append(places.shape)
                every.append(values)
                masks.append(places.reshape(-1))
                yield picture.reshape(-1)

    images = Ragged.gathered(rows(), np.uint8)
    return _Read(
        [picture for picture, _ in good],
        [mask for _, mask in good],
        sizes,
        images,
        Ragged.gathered(masks, np.uint8),
        every,
        len(files) - len(good),
    )


def decoded_mask(file: Path) -> tuple[np.ndarray, list[int | str]]:
    """Return a mask file, upright, as places among the values that it holds, and these.

    Values are indices of a palette, grey levels, or colours such as `#ff0000`.

    Raises:
        UserError: It can't be read, or holds too many values for a mask.
    """
    from PIL import Image, ImageOps

    try:
        if not file.is_file():
            raise ValueError("there is no such file")
        with Image.open(file) as opened:
            require_sides(opened.width, opened.height, MAX_PIXELS)
            load_whole(opened)
            ImageOps.exif_transpose(opened, in_place=True)
            indexed = opened.mode in ("1", "L", "P", "I", "I;16", "I;16B", "I;16L", "I;16N")
            content = np.asarray(opened if indexed else opened.convert("RGB"))
    except Exception as error:  # what a decoder raises at a broken file is anything
        raise UserError(f"{file} can't be read as a mask: {str(error).rstrip('.')}.") from None
    if content.ndim == 3:
        content = content.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    values, places = np.unique(content, return_inverse=True)
    if len(values) > MOST_CLASSES:
        raise UserError(
            f"{file} is no mask: it holds {len(values):,} values, more than the {MOST_CLASSES} classes that "
            "there may be. A mask has one value a class, and is no JPEG, whose compression makes values "
            "between them."
        )
    grey = content.max(initial=0) < 1 << 16 and indexed
    written: list[int | str] = [int(value) if grey else f"#{int(value):06x}" for value in values]
    return places.reshape(content.shape).astype(np.uint8), written


def _folders(path: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders of pictures and of masks of each part."""
    if not path.is_dir():
        raise UserError(f"Give a folder that holds one of pictures and one of masks. Received: {path}.")
    here = _two(path)
    if here is None:
        parts = {part: _two(folder) for part, folder in _parts(path).items()}
        whole = {part: both for part, both in parts.items() if both is not None}
    else:
        pictures, masks = (_parts(folder) for folder in here)
        whole = {part: (pictures[part], masks[part]) for part in pictures if part in masks}
        whole = whole if "train" in whole else {"train": here}
    if "train" not in whole:
        raise UserError(
            f"{path} must hold a folder of pictures, named {', '.join(PICTURES[:4])} or the like, and "
            f"one of masks, named {', '.join(MASKS[:4])} or the like, or folders of parts that do. "
            f"Received: {', '.join(sorted(entry.name for entry in path.iterdir())[:8])}."
        )
    return whole


def _two(folder: Path) -> tuple[Path, Path] | None:
    entries = {entry.name.lower(): entry for entry in sorted(folder.iterdir()) if entry.is_dir()}
    pictures = [entries[name] for name in PICTURES if name in entries]
    masks = [entries[name] for name in MASKS if name in entries]
    return (pictures[0], masks[0]) if pictures and masks else None


def _parts(folder: Path) -> dict[str, Path]:
    entries = {entry.name.lower(): entry for entry in sorted(folder.iterdir()) if entry.is_dir()}
    return {part: entries[name] for part, names in PART_NAMES.items() for name in names if name in entries}


def _pairs(
    pictures: Path, masks: Path, passed_over: Counter[str], skip_bad: bool
) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Return the pictures with their masks, which bear their names."""
    files = files_inside(pictures, suffixes(), passed_over)
    by_name = {_stem(file.relative_to(masks)): file for file in files_inside(masks, suffixes(), passed_over)}
    pairs, without = [], []
    for file in sorted(files, key=lambda file: _in_order(file.relative_to(pictures))):
        mask = by_name.get(_stem(file.relative_to(pictures)))
        if mask is None:
            without.append(file)
        else:
            pairs.append((file, mask))
    if without and not skip_bad:
        raise UserError(
            f"{without[0]} has no mask of its name in {masks}, and so have {len(without) - 1:,} others not: "
            "add them, or leave such pictures out with skip_bad=true."
        )
    notes = [f"{counted(len(without), 'picture')} of {pictures} left out without a mask"] if without else []
    return pairs, notes


def _stem(path: Path) -> str:
    name = path.with_suffix("").as_posix().lower()
    ending = next((each for each in ENDINGS if name.endswith(each)), "")
    return name.removesuffix(ending)


def _in_order(path: Path) -> list[tuple[int, str]]:
    """Return what sorts names by the numbers in them: 2.png before 10.png."""
    pieces = re.split(r"(\d+)", path.as_posix())
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces]


def _number(path: Path) -> int | None:
    """Return the number that the name of a file ends in, if it does."""
    digits = re.search(r"(\d{1,15})$", path.stem)
    return int(digits[1]) if digits else None

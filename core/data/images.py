"""Pictures: a folder for each class, or idx files."""

from __future__ import annotations

import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Literal

import numpy as np

from core.data.dicom import ENDINGS, NoDicomReaderError, opened_picture
from core.data.examples import Examples
from core.data.folders import labelled_files, part_folders
from core.data.larger_than_memory import allocated, blocks_of, in_threads, memory_bytes, rows_of
from core.data.picture import GREY_MODES, MAX_PIXELS, Size, in_shape
from core.data.picture_levels import Depth, Levels, depth_of, learnt_levels
from core.data.picture_tables import USUAL, Encoded, Listed, PictureColumns, is_by_table, listed_by_table
from core.data.whole_picture import require_sides
from core.errors import UserError
from core.wording import counted

# Formats whose reader starts a program, gets no picture without a plugin, or takes what holds none.
NOT_READ = ("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF")
IDX_NAMES = {"train": "train", "test": "t10k"}
# Of pictures that somebody sent: what browsers show, and no format whose reader starts a program.
UPLOAD_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


@cache
def suffixes() -> frozenset[str]:
    """Return the endings of the files that are read as pictures, in lower case."""
    from PIL import Image

    Image.init()
    formats = Image.registered_extensions().items()
    endings = {ending for ending, name in formats if name in Image.OPEN and name not in NOT_READ}
    return frozenset(endings | set(ENDINGS))


def read_images(
    path: Path,
    *,
    size: Size | None = None,
    channels: int | None = None,
    levels: Levels | None = None,
    skip_bad: bool = False,
    columns: PictureColumns = USUAL,
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read pictures with their labels, by the parts that the source names.

    Args:
        path: A folder that holds a folder for each class; or folders named after the parts (`train`, `test`,
            ...) that do; or a table with the file or the bytes of each picture and its class; or idx files
            named like those of MNIST, which may end in `.gz`.
        size: Height and width to bring every picture to; needed where they differ.
        channels: 1 for grey, 3 for colour; by default grey where all pictures are.
        levels: Which values of pictures of more than 8 bits are black and white; by default learnt from the
            training part, and the same for all.
        skip_bad: Leave out pictures that can't be read, and count them; else refuse them.
        columns: What a table calls its columns.

    Returns:
        The parts, with columns `image` (uint8, `(num_examples, height, width, channels)`), `label`, `path`
        where each picture is a file, and `levels` (text, for `levels_of`) where some have more than 8 bits;
        and notes of what was left out.

    Raises:
        UserError: There are no pictures, one can't be read, they differ in size, or the scale of deep ones
            can't be known; the message names the file.
    """
    if any(path.glob("*idx3-ubyte*")):
        return _read_idx(path), ()
    listed, notes = listed_by_table(path, columns) if is_by_table(path) else _by_folder(path)
    return decoded_parts(
        {part: (files, {"label": labels}) for part, (files, labels) in listed.items()},
        path,
        size=size,
        channels=channels,
        levels=levels,
        skip_bad=skip_bad,
        notes=notes,
    )


PictureList = tuple[Sequence[Path | Encoded], Mapping[str, Sequence[str]]]


def decoded_parts(
    listed: Mapping[str, PictureList],
    source: Path,
    *,
    size: Size | None = None,
    channels: int | None = None,
    levels: Levels | None = None,
    skip_bad: bool = False,
    notes: Sequence[str] = (),
) -> tuple[dict[str, Examples], tuple[str, ...]]:
    """Read the pictures of each part that a source lists.

    Args:
        listed: Part to its pictures, and to what else is known of each, by column; `train` first.
        source: Where the lists come from.
        size: As for `read_images`, as are `channels`, `levels` and `skip_bad`.
        notes: What is known of the reading already.

    Returns:
        What `read_images` does, with the other columns in the place of `label`.
    """
    remarks = list(notes)
    if channels is None:
        channels = _channels([file for files, _ in listed.values() for file in files])
    if levels is None:
        levels = _learnt(listed["train"][0], str(source))
    if levels is not None:
        remarks.append(f"values of {levels} in pictures of more than 8 bits are taken for black to white")
    parts: dict[str, Examples] = {}
    for part, (files, others) in listed.items():
        images, good = decoded(files, size=size, channels=channels, levels=levels, skip_bad=skip_bad)
        if not good.all():
            remarks.append(f"{counted((~good).sum(), 'picture')} of {part} left out that can't be read")
        columns = {"image": images, **{name: np.array(values)[good] for name, values in others.items()}}
        if all(isinstance(file, Path) for file in files):
            columns["path"] = np.array([str(file) for file in files])[good]
        if levels is not None:
            columns["levels"] = np.full(len(images), json.dumps(levels))
        parts[part] = Examples(columns, str(source))
        if images.shape != (len(images), *parts["train"]["image"].shape[1:]):
            raise UserError(
                f"The pictures of {source} differ in size between its parts: give a size to bring them to. "
                f"Received: {part} {images.shape[1:3]}, train {parts['train']['image'].shape[1:3]}."
            )
    return parts, tuple(remarks)


def _by_folder(path: Path) -> tuple[dict[str, Listed], list[str]]:
    listed: dict[str, Listed] = {}
    notes: list[str] = []
    for part, folder in part_folders(path, suffixes()).items():
        files, labels, passed_over = labelled_files(folder, suffixes(), "pictures")
        listed[part] = files, labels
        notes += passed_over
    return listed, notes


def levels_of(examples: Examples) -> Levels | None:
    """Return which values of deep pictures were taken for black and white, or nothing where none is deep."""
    if "levels" not in examples or not len(examples):
        return None
    return Levels(*json.loads(str(examples["levels"][0])))


def _learnt(files: Sequence[Path | Encoded], source: str) -> Levels | None:
    """Return the levels of picture files; what can't be read is left to the decoder, which reports it."""

    def depth(file: Path | Encoded) -> Depth | None:
        try:
            with opened_picture(_regular(file)) as opened:
                require_sides(opened.width, opened.height, MAX_PIXELS)
                return depth_of(opened)
        except Exception:  # what a decoder raises at a broken file is anything
            return None

    try:
        return learnt_levels(each for each in in_threads(depth, files) if each is not None)
    except ValueError as error:
        raise UserError(
            f"Which values of the pictures are black and white can't be known: {error}. Give "
            "levels=[BLACK,WHITE], or bring all pictures to 8 bits. "
            f"Received: {source}."
        ) from None


def _channels(files: Sequence[Path | Encoded]) -> int:
    """Return 1 where all pictures are grey, else 3."""

    def is_grey(file: Path | Encoded) -> bool:
        try:
            with opened_picture(_regular(file)) as opened:
                return opened.mode in GREY_MODES
        except Exception:  # what a decoder raises at a broken file is anything
            return True

    return 1 if all(in_threads(is_grey, files)) else 3


def decoded(
    files: Sequence[Path | Encoded],
    *,
    size: Size | None = None,
    channels: int | None = None,
    levels: Levels | Literal["learn"] | None = "learn",
    skip_bad: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Read picture files, several at a time.

    Args:
        files: Paths.
        size: Height and width to bring every picture to; by default that of the first.
        channels: 1 or 3; by default 1 where the first is grey.
        levels: Which values of pictures of more than 8 bits are black and white, or nothing, where the run's
            pictures have 8; by default learnt from them.
        skip_bad: Leave out what can't be read.

    Returns:
        uint8 of shape `(num_good, height, width, channels)`, and which files were good, bool `(num_files,)`.

    Raises:
        UserError: A file can't be read, or has another size and none was asked for.
    """
    if levels == "learn":
        levels = _learnt(files, str(files[0]) if len(files) else "no file")
    first = next(_good(files, size, channels, levels), None)
    if first is None:
        if not skip_bad and len(files):
            _opened(files[0], size, channels, levels, False)
        raise UserError(
            f"None of {len(files)} pictures can be read. Received: {', '.join(map(str, files[:3]))}."
        )
    shape = first.shape
    images = allocated((len(files), *shape), np.uint8)
    good = np.zeros(len(files), bool)

    def load(row: int) -> None:
        picture = _opened(files[row], size, shape[2], levels, skip_bad)
        if picture is None:
            return
        if picture.shape != shape:
            raise UserError(
                f"{files[row]} is {picture.shape[1]} x {picture.shape[0]} and others are "
                f"{shape[1]} x {shape[0]}: give a size to bring them to."
            )
        images[row], good[row] = picture, True

    for _ in in_threads(load, range(len(files))):
        pass
    return (images if good.all() else rows_of(images, np.flatnonzero(good))), good


def _good(
    files: Sequence[Path | Encoded], size: Size | None, channels: int | None, levels: Levels | None
) -> Iterator[np.ndarray]:
    """Yield the pictures that can be read."""
    for file in files:
        picture = _opened(file, size, channels, levels, True)
        if picture is not None:
            yield picture


def decoded_upload(
    content: bytes,
    size: Size | None,
    channels: int | None,
    max_pixels: int = MAX_PIXELS,
    levels: Levels | None = None,
) -> np.ndarray:
    """Read one picture file that somebody sent, in memory.

    Args:
        content: The whole file.
        size: Height and width to bring the picture to; by default its own.
        channels: 1 or 3; by default as the file is.
        max_pixels: A picture of more is refused before it is decoded.
        levels: Which values of pictures of more than 8 bits are black and white, or nothing, where the run's
            pictures have 8.

    Returns:
        uint8, shape `(height, width, channels)`.

    Raises:
        UserError: It can't be read as a picture, or is too large.
    """
    from PIL import UnidentifiedImageError

    try:
        with opened_picture(io.BytesIO(content), levels, UPLOAD_FORMATS) as opened:
            return in_shape(opened, size, channels, max_pixels, levels)
    except NoDicomReaderError as error:
        raise UserError(f"{error} Received: a DICOM file.") from None
    except UnidentifiedImageError:
        raise UserError(
            f"A picture file must be one of {', '.join(UPLOAD_FORMATS)} or DICOM. "
            f"Received: {len(content):,} bytes of something else."
        ) from None
    except Exception as error:  # what a decoder raises at a broken file is anything
        raise UserError(f"The file can't be read as a picture: {error}.") from None


def _regular(file: Path | Encoded) -> Path | io.BytesIO:
    """Return a path at which there is a file, and no pipe that would be waited for; or one in memory.

    Raises:
        FileNotFoundError: There is nothing.
        ValueError: There is something else.
    """
    if isinstance(file, Encoded):
        return io.BytesIO(file.content)
    if not file.exists():
        raise FileNotFoundError(file)
    if not file.is_file():
        raise ValueError("it is no file")
    return file


def _opened(
    file: Path | Encoded, size: Size | None, channels: int | None, levels: Levels | None, skip_bad: bool
) -> np.ndarray | None:
    try:
        with opened_picture(_regular(file), levels) as opened:
            return in_shape(opened, size, channels, MAX_PIXELS, levels)
    except FileNotFoundError:
        raise UserError(f"There is no picture at this path. Received: {file}.") from None
    except NoDicomReaderError as error:
        raise UserError(f"{error} Received: {file}.") from None
    except Exception as error:  # what a decoder raises at a broken file is anything
        if skip_bad:
            return None
        raise UserError(
            f"{file} can't be read as a picture: {str(error).rstrip('.')}. Remove it; a training leaves "
            "such files out with skip_bad=true."
        ) from None


def _read_idx(folder: Path) -> dict[str, Examples]:
    parts = {}
    for part, prefix in IDX_NAMES.items():
        if part == "test" and not any(folder.glob(f"{prefix}-*")):
            continue
        images, labels = (
            _idx_array(folder, f"{prefix}-{kind}") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
        )
        if len(images) != len(labels):
            raise UserError(f"{folder} has {len(images)} {part} pictures but {len(labels)} labels.")
        parts[part] = Examples({"image": images[..., None], "label": labels.astype(str)}, str(folder))
    return parts


def _idx_array(folder: Path, name: str) -> np.ndarray:
    # The originals have a dot in place of the second hyphen.
    names = (f"{name}{end}" for name in (name, name.replace("-idx", ".idx")) for end in ("", ".gz"))
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise UserError(f"{folder} has no {name} or {name}.gz, which belongs to its idx files.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _idx_content(file, path)
    except UserError:
        raise
    except (OSError, EOFError, ValueError, IndexError, OverflowError, MemoryError, zlib.error) as error:
        raise UserError(f"{path} is no whole idx file: {error}.") from None


def _idx_content(file: IO[bytes] | gzip.GzipFile, path: Path) -> np.ndarray:
    magic = file.read(4)
    if magic[:3] != b"\0\0\x08" or len(magic) < 4 or f"idx{magic[3]}" not in path.name:
        raise ValueError("it does not start as an idx file of bytes, of as many axes as its name says")
    shape = tuple(int(length) for length in np.frombuffer(file.read(4 * magic[3]), ">u4", magic[3]))
    if path.suffix != ".gz" and math.prod(shape) > memory_bytes():
        return np.memmap(path, np.uint8, "r", offset=4 + 4 * magic[3], shape=shape)
    array = allocated(shape, np.uint8)
    for block in blocks_of(array):
        content = file.read(array[block].size)
        array[block] = np.frombuffer(content, np.uint8).reshape(array[block].shape)
    return array

"""Whether a picture file holds all of its picture; needs Pillow alone.

Pillow refuses files that are cut off, but fills up what is missing where a file ends in good order too soon.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_SIDE, LONG_SIDE, MOST_TIMES = 32_767, 4_096, 100
GREY = 128  # of the blocks of a JPEG that nothing is said of
NOISE = bytes(number * 89 % 251 for number in range(1, 4000))  # without the byte that starts a marker
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of the colour types of PNG


def require_sides(width: int, height: int, max_pixels: int) -> None:
    """Refuse what is too large for a picture, or too long.

    Raises:
        ValueError: It is.
    """
    if width * height > max_pixels:
        raise ValueError(f"{width:,} x {height:,} are more than {max_pixels:,} pixels")
    longer, shorter = max(width, height), min(width, height)
    if longer > MAX_SIDE or (longer > LONG_SIDE and longer > MOST_TIMES * shorter):
        raise ValueError(
            f"{width:,} x {height:,} pixels are no picture: a side has at most {MAX_SIDE:,} pixels, and a "
            f"long one at most {MOST_TIMES} times those of the other"
        )


def load_whole(opened: Image.Image) -> None:
    """Decode an opened picture.

    Raises:
        ValueError: The file ends before its picture does.
        OSError: It is cut off, or broken.
    """
    file, name = getattr(opened, "fp", None), getattr(opened, "filename", "")
    opened.load()
    missing = {"PNG": _png_ends_early, "JPEG": _jpeg_ends_early}.get(opened.format or "")
    if missing is not None and _looks_unfinished(opened) and missing(opened, _content(file, name)):
        raise ValueError("the file ends before its picture does")


def _looks_unfinished(opened: Image.Image) -> bool:
    """Return whether the end of a picture is what decoders leave where they find nothing."""
    width, height = opened.size
    if opened.format == "PNG":
        rows = opened.crop((0, max(height - 2, 0), width, height))
        return any(not any(rows.crop((0, row, width, row + 1)).tobytes()) for row in range(rows.height))
    if opened.info.get("progressive"):
        return True  # what is missing is spread over all of it
    last = opened.crop((max((width - 1) // 8 * 8, 0), max((height - 1) // 8 * 8, 0), width, height))
    values = last.convert("L" if last.mode == "L" else "RGB").tobytes()
    return min(values) >= GREY - 1 and max(values) <= GREY + 1


def _content(file: IO[bytes] | None, name: str | Path) -> bytes:
    if name:
        return Path(name).read_bytes()
    if file is None or file.closed:
        return b""
    file.seek(0)
    return file.read()


def _png_ends_early(opened: Image.Image, content: bytes) -> bool:
    """Return whether the stream of a PNG holds fewer bytes than its picture needs."""
    place, size, inflated, needed = 8, len(content), 0, 0
    stream = zlib.decompressobj()
    while place + 8 <= size:
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        data = content[place + 8 : place + 8 + length]
        if kind == b"IHDR" and len(data) >= 13:
            needed = _png_bytes(*struct.unpack(">IIBBBBB", data[:13]))
        elif kind == b"IDAT":
            try:
                inflated += len(stream.decompress(data))
            except zlib.error:
                return True
        place += 12 + length
    return inflated < needed


def _png_bytes(
    width: int, height: int, bits: int, colour: int, _compression: int, _filter: int, interlaced: int
) -> int:
    """Return how many bytes the rows of a PNG have, each with the one that tells its filter."""
    pixel = bits * CHANNELS.get(colour, 1)
    total = 0
    for x, y, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        total += rows * (1 + (columns * pixel + 7) // 8) if columns > 0 and rows > 0 else 0
    return total


def _jpeg_ends_early(opened: Image.Image, content: bytes) -> bool:
    """Return whether a JPEG goes on where bytes are added before its end: a whole one is what it was."""
    from PIL import Image

    end = content.rfind(b"\xff\xd9")
    if end < 0:
        return True
    with Image.open(io.BytesIO(content[:end] + NOISE + content[end:]), formats=("JPEG",)) as longer:
        try:
            longer.load()
        except OSError:
            return True
        return longer.tobytes() != opened.tobytes()

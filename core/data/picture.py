"""One picture file as numbers; needs Pillow and NumPy alone, so that exports can take it along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.data.picture_levels import Levels, in_8_bits, require_bytes_fit
from core.data.whole_picture import load_whole, require_sides

if TYPE_CHECKING:
    from PIL import Image

Size = tuple[int, int]
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
MAX_PIXELS = 80_000_000


def in_shape(
    opened: Image.Image,
    size: Size | None,
    channels: int | None,
    max_pixels: int = MAX_PIXELS,
    levels: Levels | None = None,
) -> np.ndarray:
    """Return an opened picture, upright and without transparency.

    Args:
        opened: As Pillow opens it; it is turned upright itself, which spares a copy.
        size: Height and width to bring it to; by default its own.
        channels: 1 for grey, 3 for colour; by default grey where it is.
        max_pixels: A picture of more is refused before it is decoded.
        levels: Which values of pictures of more than 8 bits are black and white; nothing where the run's
            pictures have 8.

    Returns:
        uint8, shape `(height, width, channels)`.

    Raises:
        ValueError: It is too large or too long, its file ends too soon, or its scale can't be known.

    Example:

    >>> from PIL import Image
    >>> in_shape(Image.new("RGBA", (2, 3)), size=None, channels=1)[:, 0, 0].tolist()
    [255, 255, 255]
    """
    from PIL import Image, ImageOps

    require_sides(opened.width, opened.height, max_pixels)
    load_whole(opened)
    ImageOps.exif_transpose(opened, in_place=True)
    picture = opened
    grey = picture.mode in GREY_MODES
    if picture.mode.startswith(("I", "F")):
        picture = in_8_bits(picture, levels)
    else:
        require_bytes_fit(levels)
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    mode = "L" if channels == 1 or (channels is None and grey) else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    if size is not None and picture.size != size[::-1]:
        picture = picture.resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=2.0)
    array = np.asarray(picture, np.uint8)
    return array[..., None] if array.ndim == 2 else array

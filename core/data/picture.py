"""One picture file as numbers; needs Pillow and NumPy alone, so that exports take it along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

Size = tuple[int, int]
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
MAX_PIXELS = 80_000_000


def in_shape(
    opened: Image.Image, size: Size | None, channels: int | None, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Return an opened picture, upright and without transparency.

    Args:
        opened: As Pillow opens it; it is turned upright itself, which spares a copy.
        size: Height and width to bring it to; by default its own.
        channels: 1 for grey, 3 for colour; by default grey where it is.
        max_pixels: A picture of more is refused before it is decoded.

    Returns:
        uint8, shape `(height, width, channels)`.

    Raises:
        ValueError: It is too large.

    Example:

    >>> from PIL import Image
    >>> in_shape(Image.new("RGBA", (2, 3)), size=None, channels=1)[:, 0, 0].tolist()
    [255, 255, 255]
    """
    from PIL import Image, ImageOps

    if opened.width * opened.height > max_pixels:
        raise ValueError(f"{opened.width:,} x {opened.height:,} are more than {max_pixels:,} pixels")
    ImageOps.exif_transpose(opened, in_place=True)
    picture = opened
    grey = picture.mode in GREY_MODES
    if picture.mode.startswith(("I", "F")):
        picture = _in_8_bits(picture)
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    mode = "L" if channels == 1 or (channels is None and grey) else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    if size is not None and picture.size != size[::-1]:
        picture = picture.resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=2.0)
    array = np.asarray(picture, np.uint8)
    return array[..., None] if array.ndim == 2 else array


def _in_8_bits(picture: Image.Image) -> Image.Image:
    """Return a picture of 16 or 32 bits in 8 bits."""
    from PIL import Image

    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not numbers")
    scale = 1 / 256 if values.max() > 255 else 1.0
    return Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))

"""Pictures side by side, each under its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.shown import data_uri, png

HEIGHT = 160  # pixels of each
WIDEST = 320
GAP = 6
LETTER = 13


def is_picture(value: Any) -> bool:
    """Return whether a value is a picture, rather than the path of one or something else."""
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3)


def side_by_side(panels: Mapping[str, np.ndarray]) -> str:
    """Return pictures in one row as a data URI, all of one height, so that they can be compared.

    Args:
        panels: Name to picture, uint8, shape `(height, width)` or `(height, width, channels)`.
    """
    from PIL import Image, ImageDraw, ImageFont

    scaled = {name: _scaled(picture) for name, picture in panels.items()}
    width = sum(image.width + GAP for image in scaled.values()) - GAP
    strip = Image.new("RGB", (width, HEIGHT + LETTER + 5), "white")
    pen, left = ImageDraw.Draw(strip), 0
    for name, image in scaled.items():
        pen.text((left, 0), name, fill="#333333", font=ImageFont.load_default(LETTER))
        strip.paste(image, (left, LETTER + 5))
        left += image.width + GAP
    return data_uri("image/png", png(np.asarray(strip), width))


def _scaled(picture: np.ndarray) -> Any:
    from PIL import Image

    image = Image.fromarray(picture[..., 0] if picture.ndim == 3 and picture.shape[-1] == 1 else picture)
    scale = min(HEIGHT / image.height, WIDEST / image.width)
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    # Enlarged, its pixels stay: smoothed, a coarse picture would look better than it is.
    return image.convert("RGB").resize(
        size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    )

"""Pictures side by side, each under its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.shown import data_uri, png

HEIGHT = 160  # pixels of each
WIDEST = 320
DETAIL = 80  # pixels of a detail along each side, each of which is drawn as several
GAP = 6
LETTER = 13


def is_picture(value: Any) -> bool:
    """Return whether a value is a picture, rather than the path of one or something else."""
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3)


def side_by_side(panels: Mapping[str, np.ndarray], *, with_detail: bool = False) -> str:
    """Return pictures in one row as a data URI, all of one height, so that they can be compared.

    Args:
        panels: Name to picture, uint8, shape `(height, width)` or `(height, width, channels)`.
        with_detail: Whether a second row shows, pixel by pixel, the place where the first and the last
            picture differ most, if all are of one size and too large to be seen so.
    """
    rows = [panels]
    if with_detail and (detail := _detail(panels)) is not None:
        rows.append({f"{name}, detail": picture[detail] for name, picture in panels.items()})
    strips = [_strip(row) for row in rows]
    whole = np.full((sum(map(len, strips)), max(strip.shape[1] for strip in strips), 3), 255, np.uint8)
    top = 0
    for strip in strips:
        whole[top : top + len(strip), : strip.shape[1]] = strip
        top += len(strip)
    return data_uri("image/png", png(whole, max(whole.shape)))


def _strip(panels: Mapping[str, np.ndarray]) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    scaled = {name: _scaled(picture) for name, picture in panels.items()}
    width = sum(image.width + GAP for image in scaled.values()) - GAP
    strip = Image.new("RGB", (width, HEIGHT + LETTER + 5), "white")
    pen, left = ImageDraw.Draw(strip), 0
    for name, image in scaled.items():
        pen.text((left, 0), name, fill="#333333", font=ImageFont.load_default(LETTER))
        strip.paste(image, (left, LETTER + 5))
        left += image.width + GAP
    return np.asarray(strip)


def _detail(panels: Mapping[str, np.ndarray]) -> tuple[slice, slice] | None:
    """Return the square of `DETAIL` pixels where the first and the last picture differ most."""
    if len(panels) < 2:
        return None
    first, *_, last = panels.values()
    height, width = last.shape[:2]
    alike = {picture.shape for picture in panels.values()} == {last.shape}
    if not alike or min(height, width) <= DETAIL or max(height, width) <= 2 * DETAIL:
        return None
    rows, columns = (range(0, length - DETAIL + 1, DETAIL // 2) for length in (height, width))
    squares = [np.s_[top : top + DETAIL, left : left + DETAIL] for top in rows for left in columns]
    gaps = [np.square(first[square].astype(np.float32) - last[square]).mean() for square in squares]
    return squares[int(np.argmax(gaps))]


def _scaled(picture: np.ndarray) -> Any:
    from PIL import Image

    image = Image.fromarray(picture[..., 0] if picture.ndim == 3 and picture.shape[-1] == 1 else picture)
    scale = min(HEIGHT / image.height, WIDEST / image.width)
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    # Enlarged, its pixels stay: smoothed, a coarse picture would look better than it is.
    return image.convert("RGB").resize(
        size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    )

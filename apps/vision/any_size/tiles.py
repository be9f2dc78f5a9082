"""Pictures of any size through a net of one size, by overlapping tiles without seams; NumPy alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

AT_ONCE = 8  # tiles that a net is given together


def by_tiles(
    picture: np.ndarray,
    work: Callable[[np.ndarray], np.ndarray],
    *,
    tile: int,
    margin: int,
    scale: int = 1,
) -> np.ndarray:
    """Return what a net makes of a picture, tile by tile, in memory for the answer and a few tiles.

    Only the middle of each tile is kept. Where the margin is as wide as the net sees around a pixel, the
    answer is that of the whole picture at once. Beyond its edges the picture is mirrored.

    Args:
        picture: Shape `(height, width, channels)`.
        work: From tiles of shape `(num_tiles, tile, tile, channels)` to what comes of them, of shape
            `(num_tiles, scale * tile, scale * tile, any)`.
        tile: Height and width of a tile, pixels.
        margin: What is cut off each edge of a tile, pixels; less than half a tile.
        scale: How much larger the answer is.

    Returns:
        Of the type that `work` returns, shape `(scale * height, scale * width, any)`.

    Example:

    >>> picture = np.arange(12).reshape(3, 4, 1)
    >>> np.array_equal(by_tiles(picture, lambda tiles: 2 * tiles, tile=4, margin=1), 2 * picture)
    True
    """
    height, width = picture.shape[:2]
    step = tile - 2 * margin
    corners = [(top, left) for top in range(0, height, step) for left in range(0, width, step)]
    whole: np.ndarray | None = None
    inside = slice(scale * margin, scale * (tile - margin))
    for start in range(0, len(corners), AT_ONCE):
        block = corners[start : start + AT_ONCE]
        done = work(np.stack([_cut(picture, top - margin, left - margin, tile) for top, left in block]))
        if whole is None:
            whole = np.empty((scale * height, scale * width, done.shape[-1]), done.dtype)
        for (top, left), part in zip(block, done, strict=True):
            place = whole[scale * top : scale * (top + step), scale * left : scale * (left + step)]
            place[:] = part[inside, inside][: place.shape[0], : place.shape[1]]
    assert whole is not None
    return whole


def _cut(picture: np.ndarray, top: int, left: int, size: int) -> np.ndarray:
    rows, columns = (
        mirrored(np.arange(start, start + size), length)
        for start, length in zip((top, left), picture.shape[:2], strict=True)
    )
    return picture[rows[:, None], columns]


def mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Return the places within an axis that stand for places beyond its ends, mirrored at its edges.

    Example:

    >>> mirrored(np.arange(-2, 6), 3).tolist()
    [1, 0, 0, 1, 2, 2, 1, 0]
    """
    turned = places % (2 * length)
    return np.where(turned < length, turned, 2 * length - 1 - turned)

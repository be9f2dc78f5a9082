"""Random crops of pictures and their masks, mirrored, turned and bent, as a function of a seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.vision.any_size.bicubic import resized
from apps.vision.any_size.reading import picture_at
from apps.vision.any_size.tiles import mirrored
from core.data.examples import Examples

KNOTS = 4  # along each side of a crop, between which it is bent evenly


@dataclass(frozen=True)
class Bending:
    """How pictures are varied while training.

    Args:
        flip: Whether they are mirrored left to right, and upside down too.
        turn: Largest turn, degrees.
        zoom: Largest share by which they grow or shrink.
        elastic: How far the knots of a grid move, standard deviation in pixels.
        light: Largest share by which contrast and brightness change.
    """

    flip: str = "none"
    turn: float = 0.0
    zoom: float = 0.0
    elastic: float = 0.0
    light: float = 0.0

    @property
    def bends(self) -> bool:
        """Whether pixels end up between others."""
        return bool(self.turn or self.zoom or self.elastic)


class Crops:
    """Cuts crops out of pictures and masks, each place of each picture as likely as any other.

    Args:
        examples: Pictures with masks.
        masks: Their masks, places of classes, shape `(height, width)` each.
        size: Height and width of a crop, pixels; smaller pictures are mirrored at their edges.
        bending: How crops are varied.
    """

    def __init__(
        self, examples: Examples, masks: Sequence[np.ndarray], size: int, bending: Bending | None = None
    ) -> None:
        self.examples, self.masks, self.size = examples, masks, size
        self.bending = bending or Bending()
        shapes = np.stack([examples["height"], examples["width"]], axis=1)
        places = np.prod(np.maximum(shapes - size, 0) + 1.0, axis=1)
        # A picture of one place counts as much as its pixels do, or small ones would hardly be seen.
        weight = np.maximum(places, np.minimum(np.prod(shapes, axis=1), size**2))
        self.share = weight / weight.sum()

    def cut(self, count: int, seed: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return crops and their masks.

        Args:
            count: How many.
            seed: Whole numbers, at least 0; the same ones give the same crops.

        Returns:
            uint8 of shape `(count, size, size, channels)`, and uint8 of `(count, size, size)`.
        """
        random = np.random.default_rng(seed)
        pairs = [self._one(row, random) for row in random.choice(len(self.share), count, p=self.share)]
        pictures, masks = (np.stack(each) for each in zip(*pairs, strict=True))
        return pictures, masks

    def _one(self, row: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        picture, mask = picture_at(self.examples, row), self.masks[row]
        corner = [int(random.integers(max(length - self.size, 0) + 1)) for length in mask.shape]
        bending = self.bending
        if bending.bends:
            pair = _bent(picture, mask, corner, self.size, bending, random)
        else:
            rows, columns = (
                mirrored(np.arange(start, start + self.size), length)
                for start, length in zip(corner, mask.shape, strict=True)
            )
            pair = picture[rows[:, None], columns], mask[rows[:, None], columns]
        for axis, flips in ((1, bending.flip != "none"), (0, bending.flip == "both")):
            if flips and random.integers(2):
                pair = np.flip(pair[0], axis), np.flip(pair[1], axis)
        if bending.light:
            return _lit(pair[0], bending.light, random), pair[1]
        return pair


def _bent(
    picture: np.ndarray,
    mask: np.ndarray,
    corner: Sequence[int],
    size: int,
    bending: Bending,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a crop whose pixels are read along a turned, scaled and bent grid, and its mask.

    Source: of the elastic part Ronneberger et al., U-Net (2015), section 3.1: random moves of a coarse grid,
    bicubic between its knots.
    """
    angle = np.radians(random.uniform(-bending.turn, bending.turn))
    scale = np.exp(random.uniform(-1, 1) * np.log1p(bending.zoom))
    middle = (size - 1) / 2
    y, x = np.mgrid[:size, :size].astype(np.float32) - np.float32(middle)
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    moves = random.normal(0, bending.elastic, (KNOTS, KNOTS, 2)) if bending.elastic else np.zeros((1, 1, 2))
    moves = resized(moves.astype(np.float32), (size, size))
    rows = cosine * y - sine * x + middle + corner[0] + moves[..., 0]
    columns = sine * y + cosine * x + middle + corner[1] + moves[..., 1]
    near_rows, near_columns = (
        mirrored(np.rint(places).astype(np.int64), length)
        for places, length in zip((rows, columns), mask.shape, strict=True)
    )
    return _between(picture, rows, columns), mask[near_rows, near_columns]


def _between(picture: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return a picture at places between its pixels, linearly, mirrored beyond its edges; uint8."""
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    down, right = (rows - top)[..., None].astype(np.float32), (columns - left)[..., None].astype(np.float32)
    height, width = picture.shape[:2]
    rows_here, rows_below = mirrored(top, height), mirrored(top + 1, height)
    columns_here, columns_right = mirrored(left, width), mirrored(left + 1, width)
    upper = picture[rows_here, columns_here] * (1 - right) + picture[rows_here, columns_right] * right
    lower = picture[rows_below, columns_here] * (1 - right) + picture[rows_below, columns_right] * right
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def _lit(picture: np.ndarray, most: float, random: np.random.Generator) -> np.ndarray:
    contrast, brightness = random.uniform(-most, most, 2)
    mean = picture.mean()
    values = (picture - mean) * (1 + contrast) + mean + 128 * brightness
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)

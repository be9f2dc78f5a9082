"""Restores pictures by a net of tiles, with or without Keras; NumPy alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.vision.any_size.bicubic import resized, rounded
from apps.vision.any_size.tiles import by_tiles
from apps.vision.restoring.colour import rgb, ycbcr

MOST_PIXELS = 400_000_000  # of an answer, of which each has a byte a channel


@dataclass(frozen=True, eq=False)
class Restorer:
    """Restores pictures of any size.

    Args:
        net: From float32 tiles, levels of 255, shape `(num_tiles, tile, tile, channels)`, to float32 of
            `(num_tiles, scale * tile, scale * tile, channels)`.
        luma: Whether the net takes one plane at a time; else all channels together.
        scale: How much larger a picture becomes.
        tile: Height and width of the net's tiles, pixels.
        margin: How far the net sees around a pixel, pixels.
    """

    net: Callable[[np.ndarray], np.ndarray]
    luma: bool
    scale: int
    tile: int
    margin: int

    def planes(self, planes: np.ndarray) -> np.ndarray:
        """Return restored planes, float32, not rounded.

        Args:
            planes: What the net is to see, float32, shape `(height, width, channels)`.
        """
        return self._by_tiles(planes, self._restored)

    def picture(self, picture: np.ndarray) -> np.ndarray:
        """Return a restored picture, uint8.

        Args:
            picture: uint8, shape `(height, width, channels)`.

        Raises:
            ValueError: The answer would be too large.
        """
        height, width = picture.shape[:2]
        if height * width * self.scale**2 > MOST_PIXELS:
            raise ValueError(
                f"{self.scale} times as wide and high, {width:,} x {height:,} pixels become more than "
                f"{MOST_PIXELS:,}"
            )

        def work(tiles: np.ndarray) -> np.ndarray:
            if not self.luma:
                return rounded(self._restored(tiles.astype(np.float32)))
            return rounded(rgb(self._restored(ycbcr(tiles))))

        return self._by_tiles(picture, work)

    def _by_tiles(self, picture: np.ndarray, work: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return by_tiles(picture, work, tile=self.tile, margin=self.margin, scale=self.scale)

    def _restored(self, tiles: np.ndarray) -> np.ndarray:
        if not self.luma or tiles.shape[-1] == 1:
            return self.net(np.ascontiguousarray(tiles))
        if self.scale > 1:  # the eye sees few details of colour
            chroma = resized(np.moveaxis(tiles[..., 1:], 0, 2), (self.scale * self.tile,) * 2)
            bright = self.net(np.ascontiguousarray(tiles[..., :1]))
            return np.concatenate([bright, np.moveaxis(chroma, 2, 0)], axis=-1)
        restored = [self.net(np.ascontiguousarray(tiles[..., [plane]])) for plane in range(tiles.shape[-1])]
        return np.concatenate(restored, axis=-1)

"""Masks of pictures of any size by a net of one size, with or without Keras; NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.vision.any_size.tiles import by_tiles


@dataclass(frozen=True, eq=False)
class Segmenter:
    """Says of each pixel what it shows.

    Args:
        net: From uint8 tiles of shape `(num_tiles, tile, tile, channels)` to float32 logits of
            `(num_tiles, tile, tile, num_classes)`.
        tile: Height and width of the net's tiles, pixels.
        margin: How far the net sees around a pixel, pixels; less than half a tile.
        names: Of the classes, in their order.
        values: Of their pixels in masks: grey levels or indices, or colours such as `#ff0000`.
    """

    net: Callable[[np.ndarray], np.ndarray]
    tile: int
    margin: int
    names: Sequence[str]
    values: Sequence[int | str]

    def logits(self, picture: np.ndarray) -> np.ndarray:
        """Return the logits of a picture, float32, shape `(height, width, num_classes)`."""
        return self._by_tiles(picture, self.net)

    def places(self, picture: np.ndarray) -> np.ndarray:
        """Return the place of the likeliest class of each pixel, uint8, shape `(height, width)`."""
        return self._by_tiles(picture, lambda tiles: _likeliest(self.net(tiles)))[..., 0]

    def _by_tiles(self, picture: np.ndarray, work: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        # A picture that fits into one tile has no seams.
        margin = 0 if max(picture.shape[:2]) <= self.tile else self.margin
        return by_tiles(picture, work, tile=self.tile, margin=margin)

    def answer(self, picture: np.ndarray) -> dict[str, Any]:
        """Return the mask in the values of the masks that were learnt from, and what share each class has.

        Args:
            picture: uint8, shape `(height, width, channels)`.
        """
        places = self.places(picture)
        # One class after another, since NumPy counts in numbers eight times as large as these.
        shares = [np.count_nonzero(places == place) / places.size for place in range(len(self.names))]
        return {
            "mask": in_values(places, self.values),
            "classes": [
                {"class": name, "value": value, "share": share}
                for name, value, share in zip(self.names, self.values, shares, strict=True)
            ],
        }


def _likeliest(logits: np.ndarray) -> np.ndarray:
    return logits.argmax(axis=-1)[..., None].astype(np.uint8)


def in_values(places: np.ndarray, values: Sequence[int | str]) -> np.ndarray:
    """Return a mask of places of classes in the values of mask files.

    Args:
        places: uint8, shape `(height, width)`.
        values: Of each class: numbers, or colours such as `#ff0000`.

    Returns:
        uint8 of shape `(height, width)`, or `(height, width, 3)` where values are colours; uint16 where some
        are above 255.

    Example:

    >>> in_values(np.array([[0, 1]], np.uint8), ["#000000", "#ff0000"]).tolist()
    [[[0, 0, 0], [255, 0, 0]]]
    """
    if isinstance(values[0], str):
        colours = [[int(str(value)[at : at + 2], 16) for at in (1, 3, 5)] for value in values]
        return np.array(colours, np.uint8)[places]
    deep = max(int(value) for value in values) > 255
    return np.array(values, np.uint16 if deep else np.uint8)[places]

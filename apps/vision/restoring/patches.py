"""Random patches of pictures, degraded and true, as a function of a seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from apps.vision.any_size.bicubic import resized, rounded
from apps.vision.any_size.reading import picture_at
from apps.vision.restoring.degradation import Degradation
from core.data.examples import Examples, Ragged


class Patches:
    """Cuts patches out of pictures, each place of each picture as likely as any other.

    Args:
        examples: Sharp pictures.
        degradation: What is done to them.
        size: Height and width of a patch as the net sees it, pixels.
        shrunk: Factors by which each picture stands there once more, so that there are more details to
            learn from; 1 is the picture itself.
    """

    def __init__(
        self, examples: Examples, degradation: Degradation, size: int, shrunk: Sequence[float] = (1.0,)
    ) -> None:
        self.degradation, self.size = degradation, size
        sharp, low, self.shapes = _planes(examples, degradation, size, shrunk)
        self.sharp, self.low = sharp, low
        places = np.prod(np.array(self.shapes)[:, :2] // degradation.scale - size + 1, axis=1)
        self.share = places / places.sum()

    def cut(self, count: int, seed: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return patches as the net sees them, and as they should be.

        Args:
            count: How many.
            seed: Whole numbers, at least 0; the same ones give the same patches.

        Returns:
            float32 of shape `(count, size, size, channels)` and `(count, scale * size, ...)`, in 255 levels.
        """
        random = np.random.default_rng(seed)
        pairs = [self._one(row, random) for row in random.choice(len(self.share), count, p=self.share)]
        seen, true = (np.stack(each).astype(np.float32) for each in zip(*pairs, strict=True))
        return seen, true

    def _one(self, row: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        scale, size, shape = self.degradation.scale, self.size, self.shapes[row]
        top, left = (int(random.integers(length // scale - size + 1)) for length in shape[:2])
        turns, flips = int(random.integers(4)), bool(random.integers(2))

        def cut(planes: np.ndarray, times: int) -> np.ndarray:
            rows, columns = (slice(times * start, times * (start + size)) for start in (top, left))
            patch = np.rot90(planes[rows, columns], turns)
            return patch[:, ::-1] if flips else patch

        sharp = cut(self.sharp[row].reshape(shape), scale)
        if self.low is not None:
            low = self.low[row].reshape(shape[0] // scale, shape[1] // scale, shape[2])
            return cut(low, 1), sharp
        worse = self.degradation.worse(np.ascontiguousarray(sharp), random)
        seen, true = self.degradation.planes(worse), self.degradation.planes(sharp)
        if self.degradation.luma and shape[2] == 3:
            # A net of one plane restores luma as well as chroma; half of what it learns from is luma.
            plane = [int(random.choice(3, p=(0.5, 0.25, 0.25)))]
            return seen[..., plane], true[..., plane]
        return seen, true


def _planes(
    examples: Examples, degradation: Degradation, size: int, shrunk: Sequence[float]
) -> tuple[Ragged, Ragged | None, list[tuple[int, int, int]]]:
    """Return sharp and, of fewer pixels, small planes of all pictures, and the shapes of the sharp ones."""
    shapes: list[tuple[int, int, int]] = []
    smallest = degradation.scale * size

    def sharp() -> Iterator[np.ndarray]:
        for row in range(len(examples)):
            picture = picture_at(examples, row)
            for factor in shrunk:
                height, width = (round(factor * length) for length in picture.shape[:2])
                if factor != 1.0 and min(height, width) < smallest:
                    continue
                scaled = picture if factor == 1.0 else rounded(resized(picture, (height, width)))
                planes = degradation.cropped(scaled)
                if degradation.kind == "resolution":
                    planes = rounded(degradation.planes(planes))
                    planes = planes[..., :1] if degradation.luma else planes
                shapes.append(planes.shape)
                yield planes.reshape(-1)

    whole = Ragged.gathered(sharp(), np.uint8)
    if degradation.kind != "resolution":
        return whole, None, shapes
    small = (degradation.smaller(whole[row].reshape(shape)) for row, shape in enumerate(shapes))
    low = Ragged.gathered((each.reshape(-1) for each in small), np.float32)
    return whole, low, shapes

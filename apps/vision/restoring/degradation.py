"""How sharp pictures are made worse, which a net learns to undo; NumPy and Pillow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np

from apps.vision.any_size.bicubic import resized, rounded
from apps.vision.restoring.colour import rgb, ycbcr

Kind = Literal["resolution", "noise", "jpeg"]


@dataclass(frozen=True)
class Degradation:
    """What is done to a picture.

    Args:
        kind: Fewer pixels, Gaussian noise, or compression.
        luma: Whether luma and chroma are restored each by itself; else red, green and blue together.
        scale: By which a picture has fewer pixels along each axis; 1 but for `resolution`.
        noise: Standard deviations, in levels of 256, that training draws from, evenly.
        quality: Of JPEG, likewise.
        judged_noise: Standard deviation that a model is judged at.
        judged_quality: Likewise.
    """

    kind: Kind
    luma: bool
    scale: int
    noise: tuple[float, float]
    quality: tuple[int, int]
    judged_noise: float
    judged_quality: int

    def cropped(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture without the last rows and columns that the scale does not divide."""
        height, width = (length // self.scale * self.scale for length in picture.shape[:2])
        return picture[:height, :width]

    def planes(self, picture: np.ndarray) -> np.ndarray:
        """Return the planes that a net sees of a picture, float32, not rounded."""
        return ycbcr(picture) if self.luma else picture.astype(np.float32)

    def colours(self, planes: np.ndarray) -> np.ndarray:
        """Return the picture that planes make, uint8."""
        return rounded(rgb(planes) if self.luma else planes)

    def judged_pair(self, picture: np.ndarray, seed: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the planes of a degraded picture and the true ones, as published figures are measured.

        Of fewer pixels, luma is rounded before it is made small and not after, as in the code beside the
        papers; red, green and blue are rounded as files are.

        Args:
            picture: uint8, shape `(height, width, channels)`.
            seed: Of the noise.

        Returns:
            float32 of shape `(height / scale, width / scale, channels)`, and uint8 of the picture's own.
        """
        sharp = self.cropped(picture)
        true = rounded(self.planes(sharp))
        if self.kind == "resolution":
            low = self.smaller(true)
            return (low if self.luma else rounded(low).astype(np.float32)), true
        worse = (
            noisy(sharp, self.judged_noise, np.random.default_rng(seed))
            if self.kind == "noise"
            else compressed(sharp, self.judged_quality)
        )
        return self.planes(worse), true

    def smaller(self, planes: np.ndarray) -> np.ndarray:
        """Return planes with fewer pixels, float32."""
        return resized(planes, (planes.shape[0] // self.scale, planes.shape[1] // self.scale))

    def worse(self, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return a picture with as much noise or compression as training draws, uint8."""
        if self.kind == "noise":
            return noisy(picture, random.uniform(*self.noise), random)
        return compressed(picture, int(random.integers(self.quality[0], self.quality[1] + 1)))

    def in_words(self) -> str:
        """Return what a model is judged at, in words."""
        return {
            "resolution": f"MATLAB-style bicubic by 1/{self.scale}, border of {self.scale} pixels cut",
            "noise": f"Gaussian noise of {self.judged_noise:g} of 256 levels, rounded",
            "jpeg": f"JPEG of quality {self.judged_quality}",
        }[self.kind]


def noisy(picture: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    """Return a picture with Gaussian noise, rounded and cut off as a file holds it, uint8.

    Args:
        picture: uint8, any shape.
        deviation: Standard deviation in levels of 256.
        random: Draws the noise.
    """
    return rounded(picture + deviation * random.standard_normal(picture.shape, np.float32))


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    """Return a picture as JPEG leaves it, uint8.

    Args:
        picture: uint8, shape `(height, width, channels)`, 1 or 3 channels.
        quality: From 1 to 95.
    """
    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    image.save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(picture.shape)

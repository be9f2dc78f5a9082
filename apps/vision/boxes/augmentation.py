"""Training pictures changed at random together with their boxes, as functions of a seed alone.

NumPy and Pillow do it picture by picture: each is cut out of the cache and scaled in one interpolation,
which costs a training on a CPU far less than its step, and boxes stay lists that a person can follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.vision.boxes.letterbox import GREY, Size

LEAST_LEFT = 0.3  # of the area of a box that must be left of it where it is cut
LEAST_SIDE = 2.0  # pixels
MIDDLE = 0.3  # of the sides that the middle of a mosaic stays away from the borders

Scene = tuple[np.ndarray, np.ndarray]
"""A picture, uint8, `(height, width, channels)`, and its objects, `(num_objects, 5)`: class, four sides."""


@dataclass(frozen=True)
class Changes:
    """What is changed at random.

    Args:
        mosaic: Share of pictures that are put together of four.
        mixup: Share that another is blended into.
        scale: Largest change of size: 0.5 is from half to one and a half times.
        shift: Largest move beyond the border, as a share of the sides.
        flip: Mirror half of them left to right.
        flip_vertical: Mirror half of them upside down.
        colour: Largest change of lightness, contrast, and, of colour pictures, saturation and hue.
    """

    mosaic: float = 0.0
    mixup: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    flip: bool = False
    flip_vertical: bool = False
    colour: float = 0.0


class Augmentation:
    """Makes training pictures of cached ones.

    Args:
        pictures: uint8, all in one shape, `(num_pictures, height, width, channels)`; may be a memory map.
        objects: Of each, float32, `(num_objects, 5)`: class, left, top, right, bottom in its pixels.
        changes: What is changed.
    """

    def __init__(self, pictures: np.ndarray, objects: list[np.ndarray], changes: Changes) -> None:
        self.pictures, self.objects, self.changes = pictures, objects, changes
        self.shape: Size = (pictures.shape[1], pictures.shape[2])

    def batch(self, rows: np.ndarray, seed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a batch changed at random.

        Args:
            rows: Which pictures.
            seed: Two whole numbers, of which all is a function.

        Returns:
            uint8, `(batch_size, height, width, channels)`; and objects as `padded` returns them.
        """
        scenes = []
        for place, row in enumerate(rows.tolist()):
            # Negative numbers are no seeds.
            random = np.random.default_rng([*(int(each) & 0xFFFFFFFF for each in seed), place])
            scenes.append(self._changed(row, random))
        return np.stack([picture for picture, _ in scenes]), padded([objects for _, objects in scenes])

    def _changed(self, row: int, random: np.random.Generator) -> Scene:
        scene = self._arranged(row, random)
        if self.changes.mixup and random.random() < self.changes.mixup:
            other = self._arranged(int(random.integers(len(self.pictures))), random)
            scene = mixed(scene, other, float(random.beta(8.0, 8.0)))
        scene = flipped(
            scene,
            across=self.changes.flip and random.random() < 0.5,
            down=self.changes.flip_vertical and random.random() < 0.5,
        )
        return (recoloured(scene[0], self.changes.colour, random), scene[1]) if self.changes.colour else scene

    def _arranged(self, row: int, random: np.random.Generator) -> Scene:
        """Return a picture scaled and moved, or a mosaic that begins with it."""
        if not (self.changes.mosaic and random.random() < self.changes.mosaic):
            return self._cut(row, self.shape, random)
        height, width = self.shape
        down, across = (round(float(random.uniform(MIDDLE, 1 - MIDDLE)) * side) for side in (height, width))
        rows = [row, *random.integers(len(self.pictures), size=3).tolist()]
        sizes = [(high, wide) for high in (down, height - down) for wide in (across, width - across)]
        order = random.permutation(4).tolist()
        quarters = [self._cut(rows[each], size, random) for each, size in zip(order, sizes, strict=True)]
        upper, lower = (np.concatenate([a[0], b[0]], axis=1) for a, b in (quarters[:2], quarters[2:]))
        moves = [(0, 0), (across, 0), (0, down), (across, down)]
        objects = [
            each + np.array([0, x, y, x, y], np.float32)
            for (_, each), (x, y) in zip(quarters, moves, strict=True)
        ]
        return np.concatenate([upper, lower]), np.concatenate(objects)

    def _cut(self, row: int, size: Size, random: np.random.Generator) -> Scene:
        """Return a part of a picture at another scale, of a size."""
        picture, objects = np.asarray(self.pictures[row]), self.objects[row]
        changes = self.changes
        scale = float(random.uniform(1 - changes.scale, 1 + changes.scale))
        starts = []
        for side, whole in zip(size, self.shape, strict=True):
            room = whole - side / scale
            beyond = changes.shift * whole
            starts.append(float(random.uniform(min(room, 0.0) - beyond, max(room, 0.0) + beyond)))
        if scale == 1.0 and starts == [0.0, 0.0] and size == self.shape:
            return picture, objects
        return windowed(picture, objects, starts[0], starts[1], scale, size)


def windowed(
    picture: np.ndarray, objects: np.ndarray, top: float, left: float, scale: float, size: Size
) -> Scene:
    """Return what is seen of a picture through a window.

    Args:
        picture: uint8, `(height, width, channels)`.
        objects: `(num_objects, 5)`.
        top: Where the window begins, pixels of the picture; may lie outside, where all is grey.
        left: Likewise.
        scale: Pixels of the window a pixel of the picture.
        size: Height and width of the window, its own pixels.

    Returns:
        Objects of which less than `LEAST_LEFT` is seen are left out.
    """
    from PIL import Image

    channels = picture.shape[-1]
    image = Image.fromarray(picture[..., 0] if channels == 1 else picture)
    extent = (left, top, left + size[1] / scale, top + size[0] / scale)
    grey = GREY if channels == 1 else (GREY,) * 3
    seen = image.transform(
        size[::-1], Image.Transform.EXTENT, extent, Image.Resampling.BILINEAR, fillcolor=grey
    )
    boxes = (objects[:, 1:] - np.array([left, top, left, top], np.float32)) * np.float32(scale)
    return np.asarray(seen).reshape(*size, channels), cut_off(objects[:, 0], boxes, size)


def cut_off(classes: np.ndarray, boxes: np.ndarray, size: Size) -> np.ndarray:
    """Return objects within a size, `(num_objects, 5)`, without those of which too little is left."""
    height, width = size
    own = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    sides, before = own[:, 2:] - own[:, :2], boxes[:, 2:] - boxes[:, :2]
    seen = (sides.min(axis=1, initial=np.inf) >= LEAST_SIDE) & (
        sides.prod(axis=1) >= LEAST_LEFT * before.prod(axis=1)
    )
    return np.concatenate([classes[:, None], own], axis=1)[seen].astype(np.float32)


def mixed(scene: Scene, other: Scene, weight: float) -> Scene:
    """Return two pictures blended, with the objects of both (Zhang et al., mixup, 2018)."""
    blended = weight * scene[0].astype(np.float32) + (1 - weight) * other[0]
    return blended.round().astype(np.uint8), np.concatenate([scene[1], other[1]])


def flipped(scene: Scene, *, across: bool, down: bool) -> Scene:
    """Return a picture mirrored left to right, or upside down, or both."""
    picture, objects = scene
    height, width = picture.shape[:2]
    if across:
        picture, objects = picture[:, ::-1], _mirrored(objects, 1, 3, width)
    if down:
        picture, objects = picture[::-1], _mirrored(objects, 2, 4, height)
    return picture, objects


def _mirrored(objects: np.ndarray, low: int, high: int, side: int) -> np.ndarray:
    mirrored = objects.copy()
    mirrored[:, low], mirrored[:, high] = side - objects[:, high], side - objects[:, low]
    return mirrored


def recoloured(picture: np.ndarray, most: float, random: np.random.Generator) -> np.ndarray:
    """Return a picture lighter or darker, of more or less contrast and, in colour, saturation and hue.

    Args:
        picture: uint8, `(height, width, channels)`.
        most: Largest change, as a share.
        random: Chooses the changes.
    """
    gain, lift = random.uniform(1 - most, 1 + most), random.uniform(-most, most) * 64
    channels = picture.shape[-1]
    # A channel of its own gain each is what a change of hue and of the light's colour comes to.
    gains = gain * (random.uniform(1 - most / 3, 1 + most / 3, channels) if channels > 1 else np.ones(1))
    levels = np.arange(256.0)[:, None]
    table = np.clip((levels - 128) * gains + 128 + lift, 0, 255).round().astype(np.uint8)
    changed = np.stack([table[:, each][picture[..., each]] for each in range(channels)], axis=-1)
    if channels == 1:
        return changed
    from PIL import Image, ImageEnhance

    saturation = random.uniform(1 - most, 1 + most)
    return np.asarray(ImageEnhance.Color(Image.fromarray(changed)).enhance(saturation))


def padded(objects: list[np.ndarray]) -> np.ndarray:
    """Return the objects of a batch, float32, `(batch_size, most_objects, 5)`; rows of class -1 are none.

    Example:

    >>> padded([np.array([[2, 0, 0, 8, 8]]), np.zeros((0, 5))])[:, :, 0].tolist()
    [[2.0], [-1.0]]
    """
    # One of few lengths, for what compiles anew for each.
    most = max(max(map(len, objects), default=0), 1)
    most = 8 * -(-most // 8) if most > 1 else 1
    batch = np.zeros((len(objects), most, 5), np.float32)
    batch[:, :, 0] = -1
    for row, own in enumerate(objects):
        batch[row, : len(own)] = own
    return batch

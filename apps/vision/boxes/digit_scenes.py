"""The sample: scenes of handwritten digits, whose boxes are exact and whose digits no two parts share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from apps.vision.boxes.reading import examples_of
from core.data.examples import Examples

SIDE = 128  # pixels of a scene
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}  # of the digits
SCENES = {"train": 1200, "validation": 100, "test": 250}
MOST_DIGITS, LEAST_SIDE, MOST_SIDE = 8, 16, 48
TRIES = 20  # to find a place for a digit
GAP = 1  # pixels between two digits at the least
INK = 64  # from which a pixel belongs to a digit


def digit_scenes(pictures: np.ndarray, labels: np.ndarray, seed: int = 0) -> dict[str, Examples]:
    """Return scenes of one to eight digits of all sizes at places of chance, by part.

    Args:
        pictures: Digits, uint8, light on dark, shape `(num_digits, 28, 28, 1)`.
        labels: What each is, text.
        seed: Of the scenes, and of which digits go to which part.

    Returns:
        `train`, `validation` and `test`, as `examples_of` makes them; each digit stands in one part.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(pictures))
    parts, start = {}, 0.0
    for part, share in SHARES.items():
        own = order[round(start * len(order)) : round((start + share) * len(order))]
        start += share
        if len(own):
            parts[part] = _scenes(pictures[own], labels[own], max(SCENES[part], 1), random)
    return parts


def _scenes(pictures: np.ndarray, labels: np.ndarray, count: int, random: np.random.Generator) -> Examples:
    digits = _endless(len(pictures), random)
    images = np.empty((count, SIDE, SIDE, 1), np.uint8)
    boxes: list[list[list[float]]] = []
    names: list[list[str]] = []
    for row in range(count):
        canvas = _background(random)
        boxes.append([])
        names.append([])
        for _ in range(int(random.integers(1, MOST_DIGITS + 1))):
            digit = next(digits)
            box = _placed(canvas, pictures[digit, :, :, 0], boxes[-1], random)
            if box is not None:
                boxes[-1].append(box)
                names[-1].append(str(labels[digit]))
        images[row, :, :, 0] = np.clip(canvas + random.normal(0, 6, canvas.shape), 0, 255).round()
    sizes = np.full((count, 2), SIDE)
    return examples_of(images, sizes, boxes, names, "the scenes of digits")


def _endless(count: int, random: np.random.Generator) -> Iterator[int]:
    """Yield each of so many numbers once in random order, and again."""
    while True:
        yield from random.permutation(count).tolist()


def _background(random: np.random.Generator) -> np.ndarray:
    """Return a dark ground that grows lighter in some direction."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    rise = random.uniform(-30, 30, 2)
    return np.maximum(random.uniform(20, 60) + rise[0] * x + rise[1] * y, 0)


def _placed(
    canvas: np.ndarray, digit: np.ndarray, taken: list[list[float]], random: np.random.Generator
) -> list[float] | None:
    """Draw a digit where it covers no other, and return its box; nothing where there is no room."""
    from PIL import Image

    rows, columns = (np.flatnonzero((digit >= INK).any(axis=axis)) for axis in (1, 0))
    inked = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    longer = np.exp(random.uniform(np.log(LEAST_SIDE), np.log(MOST_SIDE)))
    height, width = (max(round(side * longer / max(inked.shape)), 3) for side in inked.shape)
    drawn = np.asarray(Image.fromarray(inked).resize((width, height), Image.Resampling.BILINEAR)) / 255
    for _ in range(TRIES):
        left, top = (int(random.integers(0, SIDE - side + 1)) for side in (width, height))
        box = [float(left), float(top), float(left + width), float(top + height)]
        if not any(_touch(box, other) for other in taken):
            inside = canvas[top : top + height, left : left + width]
            inside += drawn * (random.uniform(150, 250) - inside)
            return box
    return None


def _touch(box: list[float], other: list[float]) -> bool:
    apart_across = box[0] >= other[2] + GAP or other[0] >= box[2] + GAP
    apart_down = box[1] >= other[3] + GAP or other[1] >= box[3] + GAP
    return not (apart_across or apart_down)

"""The sample of segmentation: scenes of handwritten digits with exact masks."""

from __future__ import annotations

import numpy as np

from apps.vision.any_size.reading import examples_of
from apps.vision.masks.reading import MaskClass, with_classes
from core.data.examples import Examples, Ragged

SIDE = 80  # pixels of a scene
DIGIT = 28
SCENES = {"train": 1200, "validation": 100, "test": 250}
SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}  # of the digits
INK = 96  # levels from which a pixel belongs to its digit
MOST, TRIES = 5, 20
GAP = 2  # pixels between two digits, at least
CLASSES = [MaskClass("background", 0), *(MaskClass(str(digit), digit + 1) for digit in range(10))]


def digit_scenes(pictures: np.ndarray, labels: np.ndarray, seed: int = 0) -> dict[str, Examples]:
    """Return scenes of one to five digits on an uneven ground, by part; no digit stands in two parts.

    Args:
        pictures: Digits, uint8, light on dark, shape `(num_digits, 28, 28, 1)`.
        labels: What each is, text.
        seed: Of the scenes, and of which digits go to which part.
    """
    random = np.random.default_rng(seed)
    order, start = random.permutation(len(pictures)), 0.0
    parts = {}
    for part, share in SHARES.items():
        own = order[round(start * len(order)) : round((start + share) * len(order))]
        start += share
        parts[part] = _scenes(pictures[own, :, :, 0], labels[own], SCENES[part], random)
    return parts


def _scenes(digits: np.ndarray, labels: np.ndarray, count: int, random: np.random.Generator) -> Examples:
    scenes, masks = [], []
    waiting: list[int] = []
    for _ in range(count):
        scene = _ground(random)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        taken = np.zeros((SIDE, SIDE), bool)
        for _ in range(int(random.integers(1, MOST + 1))):
            waiting = waiting or random.permutation(len(digits)).tolist()
            digit = waiting.pop()
            _place(digits[digit], int(labels[digit]) + 1, scene, mask, taken, random)
        noisy = scene + random.normal(0, 8, scene.shape)
        scenes.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)[..., None])
        masks.append(mask.reshape(-1))
    names = [f"scene {row}" for row in range(count)]
    examples = examples_of(scenes, names, "the scenes of digits")
    return with_classes(examples.with_columns(mask=Ragged.from_rows(masks, np.uint8)), CLASSES)


def _ground(random: np.random.Generator) -> np.ndarray:
    """Return a dark ground that grows lighter in some direction."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    rise = random.uniform(-60, 60, 2)
    return np.maximum(random.uniform(20, 70) + rise[0] * x + rise[1] * y, 0)


def _place(
    digit: np.ndarray,
    value: int,
    scene: np.ndarray,
    mask: np.ndarray,
    taken: np.ndarray,
    random: np.random.Generator,
) -> None:
    """Draw a digit where it touches no other, if there is room."""
    inked = digit >= INK
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = inked[part].shape
    for _ in range(TRIES):
        top, left = int(random.integers(SIDE - height + 1)), int(random.integers(SIDE - width + 1))
        around = np.s_[max(top - GAP, 0) : top + height + GAP, max(left - GAP, 0) : left + width + GAP]
        if taken[around].any():
            continue
        here = np.s_[top : top + height, left : left + width]
        taken[here] = True
        strength = digit[part] / 255
        scene[here] += strength * (random.uniform(160, 255) - scene[here])
        mask[here][inked[part]] = value
        return

"""Masks drawn over the pictures that they are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.answers.canvas import COLOURS
from core.answers.masks.agreement import UNLABELLED

VEIL = 0.55  # of the colour of a class over the picture
WRONG = np.array([213, 94, 0], np.float32)
LARGEST = 640  # pixels along an edge that is drawn


def is_mask(value: Any) -> bool:
    """Return whether a value is a mask of places of classes, rather than the path of one."""
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 2


def panels(row: Mapping[str, Any], picture: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the picture, the answer and the truth over it, and the pixels that are wrong.

    Args:
        row: With `predicted` and `true`, masks of places among `labels`.
        picture: uint8, shape `(height, width, channels)`; grey where it is gone.
    """
    predicted, true = row["predicted"], row["true"]
    step = max(-(-max(true.shape) // LARGEST), 1)
    predicted, true = predicted[::step, ::step], true[::step, ::step]
    ground = np.full((*true.shape, 3), 235, np.float32)
    if picture is not None:
        ground[:] = picture[::step, ::step].reshape(*true.shape, -1)
    hidden = [place for place, label in enumerate(row["labels"]) if label not in row["edges"]]
    # Where all classes are judged, the commonest is left as the picture is.
    hidden = hidden or [int(np.bincount(true[true != UNLABELLED], minlength=1).argmax())]
    wrong = ground.mean(axis=2, keepdims=True) * np.ones(3, np.float32)
    missed = (predicted != true) & (true != UNLABELLED)
    wrong[missed] = WRONG
    drawn = {
        "picture": ground,
        "answer": overlaid(ground, predicted, hidden),
        "truth": overlaid(ground, true, hidden),
        "mistakes": wrong,
    }
    return {name: panel.round().astype(np.uint8) for name, panel in drawn.items()}


def overlaid(ground: np.ndarray, mask: np.ndarray, hidden: list[int]) -> np.ndarray:
    """Return a picture with the colours of classes over it, float32, shape `(height, width, 3)`.

    Args:
        ground: float32, shape `(height, width, 3)`.
        mask: Places of classes.
        hidden: Those that are left as the picture is.
    """
    colours = np.array([_levels(COLOURS[place % len(COLOURS)]) for place in range(256)], np.float32)
    veil = np.full(256, VEIL, np.float32)
    veil[[*hidden, UNLABELLED]] = 0
    share = veil[mask][..., None]
    return (1 - share) * ground + share * colours[mask]


def _levels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))

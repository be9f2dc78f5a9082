"""How like the truth restored pictures are, by the protocol of the literature."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from apps.vision.any_size.bicubic import resized, rounded
from apps.vision.any_size.reading import picture_at
from apps.vision.restoring.degradation import Degradation
from core.answers.pictures import likeness
from core.data.examples import Examples

Restored = Callable[[np.ndarray], np.ndarray]


def judged_rows(
    restored: Restored, examples: Examples, degradation: Degradation, seed: int, *, pictures: bool
) -> Iterator[dict[str, Any]]:
    """Yield a row an example: its likeness to the truth and, if asked for, both pictures.

    Args:
        restored: From degraded planes to restored ones, not rounded.
        examples: Sharp pictures.
        degradation: What is done to them.
        seed: Of noise.
        pictures: Whether rows hold what is restored and what is true.
    """
    for row in range(len(examples)):
        planes, true = degradation.judged_pair(picture_at(examples, row), (seed, row))
        answer = rounded(restored(planes))
        # Of planes, the first is the luma itself, rounded as published figures have it.
        compared = (answer[..., :1], true[..., :1]) if degradation.luma else (answer, true)
        border = degradation.scale if degradation.kind == "resolution" else 0
        shown = (
            {
                "predicted": degradation.colours(answer.astype(np.float32)),
                "true": degradation.colours(true.astype(np.float32)),
            }
            if pictures
            else {"predicted": None}
        )
        yield {"row": row, **shown, **likeness(*compared, border)}


def before(picture: np.ndarray, degradation: Degradation, seed: tuple[int, int]) -> np.ndarray:
    """Return a picture as it is before it is restored, in the size that it has after, uint8."""
    planes, true = degradation.judged_pair(picture, seed)
    if degradation.scale > 1:
        planes = resized(planes, true.shape[:2])
    return degradation.colours(planes)

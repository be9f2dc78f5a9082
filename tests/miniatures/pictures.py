"""What the miniatures of pictures share: how they are read, divided, and learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from core.data.examples import Examples, Splits
from core.data.images import decoded
from core.task.contract import Encoder, Task
from tests.miniatures.generated import tenths


class Nothing(Encoder):
    """Learns nothing."""


class PictureMiniature(Task):
    """A task whose pictures are made up, and that learns nothing of them before its weights."""

    encoder_class: ClassVar[type[Encoder]] = Nothing
    content: ClassVar[tuple[str, ...]] = ("picture",)

    def made(self, random: np.random.Generator) -> Mapping[str, np.ndarray]:
        """Return the columns of all examples."""
        raise NotImplementedError

    def load(self) -> Splits:
        return tenths(self.made(np.random.default_rng(0)))

    def encode(self, train: Examples) -> Encoder:
        return Nothing()


def grey(values: Sequence[Any], size: tuple[int, int]) -> np.ndarray:
    """Return pictures, some of them still files, as uint8 of shape `(num_pictures, height, width, 1)`."""
    read = [
        decoded([Path(value)], size=size, channels=1)[0][0] if isinstance(value, str | Path) else value
        for value in values
    ]
    return np.stack(read)

"""What the miniatures of texts share: examples that are made up, and their words as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from core.data.examples import Examples, Splits
from core.task.contract import Encoder, Task

PADDING, START, END, UNKNOWN = range(4)


class Vocabulary(Encoder):
    """Numbers of words, those of the training part alone, and names of tags where a task has any."""

    words: list[str]
    tags: list[str] = []

    @classmethod
    def of(cls, texts: Iterable[str], tags: Iterable[str] = ()) -> Vocabulary:
        words = sorted({word for text in texts for word in str(text).split()})
        return cls(words=words, tags=sorted({tag for row in tags for tag in str(row).split()}))

    @property
    def size(self) -> int:
        return len(self.words) + UNKNOWN + 1

    def ids(self, text: str) -> list[int]:
        place = {word: index for index, word in enumerate(self.words, start=UNKNOWN + 1)}
        return [place.get(word, UNKNOWN) for word in text.split()]

    def text(self, ids: Iterable[int]) -> str:
        return " ".join(self.words[index - UNKNOWN - 1] for index in ids if index > UNKNOWN)


def padded(rows: Sequence[Sequence[int]], filling: int = PADDING, length: int | None = None) -> np.ndarray:
    longest = length or max(map(len, rows))
    return np.array([[*row, *[filling] * (longest - len(row))][:longest] for row in rows], np.int32)


def tenths(columns: Mapping[str, Any]) -> Splits:
    examples = Examples(columns)
    place = np.arange(len(examples)) % 10
    parts = [examples.take(place > 1), examples.take(place == 0), examples.take(place == 1)]
    return Splits(*parts, protocol="every tenth example")


class Miniature(Task):
    """A task whose examples are made up."""

    encoder_class: ClassVar[type[Encoder]] = Vocabulary

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PADDING)

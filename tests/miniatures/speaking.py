"""A sound for a text: a tone for each letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.answers.sounds import Sounds
from core.answers.sounds.likeness import likeness
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.text import Text
from core.shown import Sound
from core.task.contract import Encoder, Task
from tests.miniatures.generated import padded, tenths
from tests.miniatures.pictures import Nothing

LETTERS = "abcdef"
RATE = 8000
SAMPLES = 400  # of a letter
KILOHERTZ = np.linspace(0.3, 1.8, len(LETTERS))
LOUDNESS = np.linspace(0.2, 0.7, len(LETTERS))
TONES = np.concatenate([np.zeros((1, 2)), np.stack([KILOHERTZ, LOUDNESS], axis=1)])  # silence first


def ids_of(text: str) -> list[int]:
    return [LETTERS.find(letter) + 1 for letter in text]


def sound_of(tones: np.ndarray) -> Sound:
    """Return the sound of tones, frequency in kilohertz and loudness, shape `(num_tones, 2)`."""
    seconds = np.arange(SAMPLES) / RATE
    waves = [loudness * np.sin(2000 * np.pi * tone * seconds) for tone, loudness in tones]
    wave = np.clip(np.concatenate([*waves, np.zeros(0)]), -1, 1)
    return Sound((32767 * wave).astype(np.int16), RATE)


class Speaking(Task):
    """Hums letters."""

    encoder_class: ClassVar[type[Encoder]] = Nothing
    content: ClassVar[tuple[str, ...]] = ("text",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="abc")}
    gives: ClassVar[type[Answers] | None] = Sounds
    figures: ClassVar[Mapping[str, Direction]] = Sounds.figures

    def load(self) -> Splits:
        random = np.random.default_rng(0)
        texts = ["".join(random.choice(list(LETTERS), random.integers(2, 7))) for _ in range(200)]
        return tenths({"text": list(dict.fromkeys(texts))})

    def encode(self, train: Examples) -> Encoder:
        return Nothing()

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        ids = padded([ids_of(str(text)) for text in examples["text"]])
        return feed.batches(ids, TONES[ids].astype(np.float32))

    def build(self, encoder: Any) -> keras.Model:
        letters = keras.Input((None,), dtype="int32", name="letters")
        hidden = keras.layers.Embedding(len(TONES), 8)(letters)
        return keras.Model(letters, keras.layers.Dense(2)(hidden))

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.MeanSquaredError()

    def _said(self, model: keras.Model, text: str) -> Sound:
        return sound_of(ops.convert_to_numpy(model(padded([ids_of(text) or [0]])))[0])

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        return [{"sound": self._said(model, text)} for text in inputs]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        rows = []
        for row, text in enumerate(map(str, examples["text"])):
            predicted, true = self._said(model, text), sound_of(TONES[ids_of(text)])
            answer = {"row": row, "text": text, "predicted": predicted, "true": true}
            rows.append({**answer, **likeness(predicted, true)})
            if write:
                write(rows[-1])
        return Sounds.from_rows(rows).statistics(np.arange(len(rows)))

"""A picture for a picture: what it is without its noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.answers.kind import Answers
from core.answers.pictures import Pictures
from core.answers.pictures.likeness import likeness
from core.answers.rows import Direction, Figures, Write
from core.data.examples import Examples
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.picture import Picture
from tests.miniatures.pictures import PictureMiniature, grey

SIZE = (12, 12)
NOISE = 40.0  # standard deviation, of 256 levels


class Denoising(PictureMiniature):
    """Finds back squares of an even grey."""

    takes: ClassVar[Mapping[str, Input]] = {"picture": Picture(SIZE, 1)}
    gives: ClassVar[type[Answers] | None] = Pictures
    figures: ClassVar[Mapping[str, Direction]] = Pictures.figures

    def made(self, random: np.random.Generator) -> Mapping[str, np.ndarray]:
        clean = random.integers(40, 216, (200, 2, 2, 1)).repeat(6, axis=1).repeat(6, axis=2)
        noisy = clean + random.normal(0, NOISE, clean.shape)
        return {
            "picture": np.clip(noisy, 0, 255).round().astype(np.uint8),
            "clean": clean.astype(np.uint8),
        }

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        return feed.batches(examples["picture"], examples["clean"].astype(np.float32) / 255)

    def build(self, encoder: Any) -> keras.Model:
        picture = keras.Input((*SIZE, 1), name="picture")
        shares = keras.layers.Rescaling(1 / 255)(picture)
        hidden = keras.layers.Conv2D(8, 5, padding="same", activation="relu")(shares)
        noise = keras.layers.Conv2D(1, 5, padding="same")(keras.layers.Dropout(0.05)(hidden))
        return keras.Model(picture, keras.layers.Add()([shares, noise]))

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.MeanSquaredError()

    def _cleaned(self, model: keras.Model, pictures: np.ndarray) -> np.ndarray:
        shares = np.clip(ops.convert_to_numpy(model(pictures)), 0, 1)
        return (255 * shares).round().astype(np.uint8)

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        return [{"clean": picture} for picture in self._cleaned(model, grey(inputs, SIZE))]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        rows = []
        for row, predicted in enumerate(self._cleaned(model, examples["picture"])):
            true = examples["clean"][row]
            rows.append({"row": row, "predicted": predicted, "true": true, **likeness(predicted, true)})
            if write:
                write(rows[-1])
        return Pictures.from_rows(rows).statistics(np.arange(len(rows)))

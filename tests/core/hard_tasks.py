"""The plainest task there is, for tests of what surrounds a task; every family is in `tests/miniatures`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from pydantic import Field

from core.answers.rows import Direction, Figures, Write
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.task.contract import Encoder, Task


def thirds(**columns: np.ndarray) -> Splits:
    examples = Examples(columns)
    parts = np.arange(len(examples)) % 3
    return Splits(*(examples.take(parts == part) for part in range(3)), protocol="every third example")


class Nothing(Encoder):
    """Learns nothing."""


class Miniature(Task):
    """What the miniatures share: generated data in place of a source."""

    encoder_class: ClassVar[type[Encoder]] = Nothing
    content: ClassVar[tuple[str, ...]] = ("x",)
    figures: ClassVar[Mapping[str, Direction]] = {"error": "min"}

    def encode(self, train: Examples) -> Encoder:
        return Nothing()

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        x = np.asarray(inputs, np.float32)
        return [{"value": value} for value in ops.convert_to_numpy(model(x)).ravel().tolist()]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        answers = self.predict(model, encoder, examples["x"].tolist())
        for answer in answers:
            if write:
                write(answer)
        values = np.array([answer["value"] for answer in answers])
        return {"error": float(np.mean((values - examples["y"]) ** 2))}


class Regression(Miniature):
    """The plain case, with dropout so that a resume has random state to keep."""

    dropout: float = Field(0.2, ge=0, lt=1, description="share of units dropped")

    def load(self) -> Splits:
        x = np.random.default_rng(0).normal(size=(96, 4)).astype(np.float32)
        return thirds(x=x, y=x.sum(axis=1))

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        return feed.batches(examples["x"], examples["y"])

    def build(self, encoder: Any) -> keras.Model:
        inputs = keras.Input((4,), name="x")
        hidden = keras.layers.Dense(8, "relu")(inputs)
        return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dropout(self.dropout)(hidden)))

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.MeanSquaredError()

    def baseline(self, encoder: Any, splits: Splits, write: Write | None = None) -> dict[str, Figures]:
        return {"mean": {"error": float(np.mean((splits.test["y"] - splits.train["y"].mean()) ** 2))}}

"""A number for a row of typed columns, which are learnt from the training part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.answers.kind import Answers
from core.answers.numbers import Numbers
from core.answers.rows import Direction, Figures, Write
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.row import Column, Row, columns_of
from core.task.contract import Encoder, Task
from tests.miniatures.generated import tenths

PLACES = {"centre": 3.0, "suburb": 1.0, "village": 0.0}
COLUMNS = ("rooms", "age", "place")


class Columns(Encoder):
    """The columns of a row, and how large what is predicted is."""

    columns: list[Column]
    mean: float
    spread: float

    def features(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Return numbers within the range that training saw, and choices as zeros and a one."""
        return np.array([self._features(row) for row in rows], np.float32)

    def _features(self, row: Mapping[str, Any]) -> list[float]:
        features: list[float] = []
        for column in self.columns:
            value = row.get(column.name)
            value = column.typical if value is None else value
            if column.kind == "choice":
                features += [float(value == choice) for choice in column.choices]
            else:
                low, high = float(column.low or 0), float(column.high or 1)
                features.append((float(value or 0) - low) / (high - low))
        return features


class Prices(Task):
    """What a flat costs."""

    encoder_class: ClassVar[type[Encoder]] = Columns
    content: ClassVar[tuple[str, ...]] = COLUMNS
    takes: ClassVar[Mapping[str, Input]] = {"row": Row()}
    gives: ClassVar[type[Answers] | None] = Numbers
    figures: ClassVar[Mapping[str, Direction]] = Numbers.figures

    def load(self) -> Splits:
        random = np.random.default_rng(0)
        drawn = {
            (random.integers(1, 7), random.integers(0, 100), random.choice(list(PLACES))) for _ in range(300)
        }
        rooms, ages, places = zip(*sorted(drawn, key=lambda _: random.random()), strict=True)
        prices = [self.price(*row) for row in zip(rooms, ages, places, strict=True)]
        # As a table has them, with a value missing here and there.
        aged = ["?" if row % 20 == 5 else str(age) for row, age in enumerate(ages)]
        return tenths(
            {
                "rooms": [str(each) for each in rooms],
                "age": aged,
                "place": list(map(str, places)),
                "price": prices,
            }
        )

    def price(self, rooms: int, age: int, place: str) -> float:
        return 10.0 * float(rooms) - 0.1 * float(age) + 10 * PLACES[place]

    def encode(self, train: Examples) -> Columns:
        columns = columns_of(train, COLUMNS)
        prices = np.asarray(train["price"], np.float64)
        return Columns(columns=list(columns), mean=float(prices.mean()), spread=float(prices.std()))

    def inputs(self, encoder: Any) -> Mapping[str, Input]:
        return {"row": Row(tuple(encoder.columns))}

    def features(self, examples: Examples, encoder: Columns) -> np.ndarray:
        kinds = {column.name: column for column in encoder.columns}
        values = zip(*(examples[name].tolist() for name in COLUMNS), strict=True)
        rows = [
            {name: kinds[name].value(value) for name, value in zip(COLUMNS, row, strict=True)}
            for row in values
        ]
        return encoder.features(rows)

    def targets(self, examples: Examples, encoder: Columns) -> np.ndarray:
        return ((np.asarray(examples["price"], np.float64) - encoder.mean) / encoder.spread).astype(
            np.float32
        )

    def batches(self, examples: Examples, encoder: Columns, feed: Feed) -> tf.data.Dataset:
        return feed.batches(self.features(examples, encoder), self.targets(examples, encoder))

    def build(self, encoder: Columns) -> keras.Model:
        width = encoder.features([{}]).shape[1]
        row = keras.Input((width,), name="row")
        hidden = keras.layers.Dropout(0.1)(keras.layers.Dense(32, "relu", name="hidden")(row))
        return keras.Model(row, keras.layers.Dense(1, name="price")(hidden))

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.MeanSquaredError()

    def _prices(self, model: keras.Model, encoder: Columns, features: np.ndarray) -> list[float]:
        outputs = ops.convert_to_numpy(model(features))[:, 0]
        return (encoder.mean + encoder.spread * outputs.astype(np.float64)).tolist()

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        prices = self._prices(model, encoder, encoder.features(inputs))
        return [{"price": price} for price in prices]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        predicted = self._prices(model, encoder, self.features(examples, encoder))
        answers = Numbers(np.asarray(examples["price"], np.float64), np.array(predicted))
        for row in range(len(answers)):
            if write:
                write(answers.row(row))
        return answers.statistics(np.arange(len(answers)))


class Rents(Prices):
    """What a flat costs a month, begun with what was learnt of its price."""

    def price(self, rooms: int, age: int, place: str) -> float:
        return super().price(rooms, age, place) / 4

    def encode_from(self, train: Examples, source: Any) -> Columns:
        return self.encode(train).model_copy(update={"columns": source.columns})

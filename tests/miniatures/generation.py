"""A text that goes on, letter by letter, drawn at a temperature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from pydantic import Field

from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.answers.texts import Texts
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.text import Text
from core.task.contract import Ability, Options
from tests.miniatures.generated import Miniature, Vocabulary, padded, tenths

WORDS = ["one", "two", "three", "four", "five", "six", "seven"]
WINDOWS = 2  # of each text, an epoch
LENGTH = 8  # words of a window


class Drawing(Options):
    """How a text is drawn."""

    temperature: float = Field(0.0, ge=0, le=2, description="0 takes the likeliest word, more is bolder")
    seed: int = Field(0, ge=0, description="of the draws")
    length: int = Field(6, ge=1, le=50, description="words to write")


class Continuation(Texts):
    """What was written after each beginning."""

    figures: ClassVar[Mapping[str, Direction]] = {"chrf": "max", "exact_match": "max"}


class Generation(Miniature):
    """Counts on from where a text stops."""

    content: ClassVar[tuple[str, ...]] = ("text",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="one two")}
    gives: ClassVar[type[Answers] | None] = Continuation
    figures: ClassVar[Mapping[str, Direction]] = {**Continuation.figures, "perplexity": "min"}
    abilities: ClassVar[frozenset[Ability]] = frozenset({"stream"})
    options: ClassVar[type[Options]] = Drawing

    def load(self) -> Splits:
        texts = [
            " ".join(WORDS[(start + place) % len(WORDS)] for place in range(length))
            for length in range(12, 24)
            for start in range(len(WORDS))
        ]
        return tenths({"text": texts})

    def encode(self, train: Examples) -> Vocabulary:
        return Vocabulary.of(train["text"])

    def count(self, examples: Examples, encoder: Any) -> int:
        return WINDOWS * len(examples)

    def batches(self, examples: Examples, encoder: Vocabulary, feed: Feed) -> tf.data.Dataset:
        rows = padded([encoder.ids(str(text)) for text in examples["text"]], length=12).repeat(
            WINDOWS, axis=0
        )

        def cut(x: tf.Tensor, y: None, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            start = tf.random.stateless_uniform([], seed, 0, x.shape[1] - LENGTH, tf.int32)
            return x[:, start : start + LENGTH], x[:, start + 1 : start + LENGTH + 1]

        if feed.training:
            return feed.batches(rows, transform=cut)
        return feed.batches(rows[:, :LENGTH], rows[:, 1 : LENGTH + 1])

    def build(self, encoder: Vocabulary) -> keras.Model:
        words = keras.Input((None,), dtype="int32", name="words")
        hidden = keras.layers.Dropout(0.1)(keras.layers.Embedding(encoder.size, 16)(words))
        read = keras.layers.GRU(32, return_sequences=True)(hidden)
        return keras.Model(words, keras.layers.Dense(encoder.size)(read))

    def stream(
        self, model: keras.Model, encoder: Any, value: Any, options: Any = None
    ) -> Iterator[dict[str, Any]]:
        asked = options or self.options()
        random = np.random.default_rng(asked.seed)
        ids = encoder.ids(value)
        for place in range(asked.length):
            logits = ops.convert_to_numpy(model(np.array([ids or [0]], np.int32))[0, -1])[4:]
            if asked.temperature:
                shares = np.exp((logits - logits.max()) / asked.temperature)
                word = int(random.choice(len(shares), p=shares / shares.sum()))
            else:
                word = int(logits.argmax())
            ids.append(word + 4)
            state = {"text": " ".join(filter(None, (value.strip(), encoder.text(ids[-place - 1 :]))))}
            yield state if place + 1 == asked.length else {**state, "finished": False}

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        return [list(self.stream(model, encoder, value, options))[-1] for value in inputs]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        rows = []
        for row, text in enumerate(map(str, examples["text"])):
            words = text.split()
            given, true = " ".join(words[:4]), " ".join(words[4:10])
            (said,) = self.predict(model, encoder, [given])
            predicted = said["text"].removeprefix(given).strip()
            rows.append({"row": row, "source": given, "true": [true], "predicted": predicted})
            if write:
                write(rows[-1])
        ids = padded([encoder.ids(str(text)) for text in examples["text"]], length=12)
        loss = float(self.loss(encoder)(ids[:, 1:], model(ids[:, :-1])))
        figures = Continuation.from_rows(rows).statistics(np.arange(len(rows)))
        return {**figures, "perplexity": float(np.exp(loss))}

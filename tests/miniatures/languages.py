"""A class for a text, learnt from windows of texts: an epoch has more units than there are rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.text import Text
from core.task.classification import Classification, LabelEncoder, labels_of
from core.task.contract import Encoder
from tests.miniatures.generated import padded, tenths

LETTERS = {"western": "aeiouklm", "eastern": "aeiourst"}
ALPHABET = sorted({letter for letters in LETTERS.values() for letter in letters})
LENGTH, WINDOW = 16, 8  # letters of a text, and of a window
WINDOWS = 3  # of each text, an epoch


class Languages(Classification):
    """Tells two made-up languages apart."""

    encoder_class: ClassVar[type[Encoder]] = LabelEncoder
    content: ClassVar[tuple[str, ...]] = ("text",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="klam muki")}

    def load(self) -> Splits:
        random = np.random.default_rng(0)
        labels = ["western", "eastern"] * 60
        texts = ["".join(random.choice(list(LETTERS[label]), LENGTH)) for label in labels]
        order = random.permutation(len(labels))
        return tenths(
            {"text": [texts[place] for place in order], "label": [labels[place] for place in order]}
        )

    def encode(self, train: Examples) -> LabelEncoder:
        return LabelEncoder(labels=labels_of(train))

    def read(self, inputs: list[Any]) -> Examples:
        return Examples({"text": inputs})

    def features(self, examples: Examples, encoder: Any) -> np.ndarray:
        place = {letter: index for index, letter in enumerate(ALPHABET, start=1)}
        return padded(
            [[place.get(letter, 0) for letter in str(text)] for text in examples["text"]], 0, LENGTH
        )

    def count(self, examples: Examples, encoder: Any) -> int:
        return WINDOWS * len(examples)

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        if not feed.training:
            return super().batches(examples, encoder, feed)
        targets = np.eye(len(encoder.labels), dtype=np.float32)[
            encoder.ids(examples["label"], examples.source)
        ]

        def cut(x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            start = tf.random.stateless_uniform([], seed, 0, LENGTH - WINDOW + 1, tf.int32)
            return x[:, start : start + WINDOW], y

        windows = self.features(examples, encoder).repeat(WINDOWS, axis=0)
        return feed.batches(windows, targets.repeat(WINDOWS, axis=0), transform=cut)

    def build(self, encoder: Any) -> keras.Model:
        letters = keras.Input((None,), dtype="int32", name="letters")
        hidden = keras.layers.Embedding(len(ALPHABET) + 1, 8)(letters)
        mean = keras.layers.Dropout(0.1)(keras.layers.GlobalAveragePooling1D()(hidden))
        return keras.Model(letters, keras.layers.Dense(len(encoder.labels))(mean))

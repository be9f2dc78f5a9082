"""A label for each word: who lives where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.answers.tags import Tags
from core.answers.tags.entities import spans_of
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.text import Text
from tests.miniatures.generated import Miniature, Vocabulary, padded, tenths

NAMES = ["Ann", "Bob", "Cleo", "Dan", "Eve Lee", "Finn Roe"]
PLACES = ["Rome", "Oslo", "New York", "Lima", "Hong Kong"]


def tagged(name: str, kind: str) -> str:
    return " ".join(f"{'I' if place else 'B'}-{kind}" for place in range(len(name.split())))


class Labelling(Miniature):
    """Names and places of sentences."""

    content: ClassVar[tuple[str, ...]] = ("text",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="Ann lives in Rome .")}
    gives: ClassVar[type[Answers] | None] = Tags
    figures: ClassVar[Mapping[str, Direction]] = Tags.figures

    def load(self) -> Splits:
        verbs = ["lives in", "went to", "never saw"]
        facts = [(name, verb, place) for verb in verbs for name in NAMES for place in PLACES]
        order = np.random.default_rng(0).permutation(len(facts))
        chosen = [facts[place] for place in order]
        return tenths(
            {
                "text": [f"{name} {verb} {place} ." for name, verb, place in chosen],
                "tags": [f"{tagged(name, 'PER')} O O {tagged(place, 'LOC')} O" for name, _, place in chosen],
            }
        )

    def encode(self, train: Examples) -> Vocabulary:
        return Vocabulary.of(train["text"], train["tags"])

    def batches(self, examples: Examples, encoder: Vocabulary, feed: Feed) -> tf.data.Dataset:
        place = {tag: index for index, tag in enumerate(encoder.tags, start=1)}
        tags = [[place.get(tag, 0) for tag in str(row).split()] for row in examples["tags"]]
        return feed.batches(padded([encoder.ids(str(text)) for text in examples["text"]]), padded(tags))

    def build(self, encoder: Vocabulary) -> keras.Model:
        words = keras.Input((None,), dtype="int32", name="words")
        embedded = keras.layers.Embedding(encoder.size, 16)(words)
        seen = keras.layers.Dropout(0.1)(
            keras.layers.Conv1D(32, 3, padding="same", activation="relu")(embedded)
        )
        # The tag 0 is that of padding, which is never answered.
        return keras.Model(words, keras.layers.Dense(len(encoder.tags) + 1)(seen))

    def _tags(
        self, model: keras.Model, encoder: Vocabulary, texts: list[str]
    ) -> list[tuple[list[str], float]]:
        tags_and_shares = []
        for text in texts:
            ids = np.array([encoder.ids(text) or [0]], np.int32)
            shares = ops.convert_to_numpy(ops.softmax(model(ids)[0, :, 1:]))[: len(text.split())]
            tags_and_shares.append(
                ([encoder.tags[place] for place in shares.argmax(axis=1)], shares.max(axis=1))
            )
        return tags_and_shares

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        texts = [str(text) for text in examples["text"]]
        rows = [
            {"row": row, "text": text, "words": text.split(), "true": str(true).split(), "predicted": tags}
            for row, (text, true, (tags, _)) in enumerate(
                zip(texts, examples["tags"], self._tags(model, encoder, texts), strict=True)
            )
        ]
        for row in rows:
            if write:
                write(row)
        answers = Tags.from_rows(rows)
        return {**answers.statistics(np.arange(len(rows))), "per_type": answers.per_type()}

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        answers = []
        for text, (tags, shares) in zip(inputs, self._tags(model, encoder, inputs), strict=True):
            spans = spans_of(text.split(), tags, "iob2", text)
            for span in spans:
                first = len(text[: span["start"]].split())
                words = slice(first, first + len(span["text"].split()))
                span["probability"] = float(shares[words].min())
            answers.append({"text": text, "spans": spans})
        return answers

"""The answer to a question, found in a context."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.answers.spans import Spans
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.text import Text
from tests.miniatures.generated import Miniature, Vocabulary, padded, tenths

NAMES = ["Ann", "Bob", "Cleo", "Dan", "Eve"]
PLACES = ["Rome", "Oslo", "Lima", "Paris", "Delhi"]


class QuestionAnswering(Miniature):
    """Who lives where, read in two sentences."""

    content: ClassVar[tuple[str, ...]] = ("question", "context")
    takes: ClassVar[Mapping[str, Input]] = {
        "question": Text(example="who lives in Rome"),
        "context": Text(example="Ann lives in Rome . Bob lives in Oslo ."),
    }
    gives: ClassVar[type[Answers] | None] = Spans
    figures: ClassVar[Mapping[str, Direction]] = Spans.figures

    def load(self) -> Splits:
        random = np.random.default_rng(0)
        rows = []
        for _ in range(110):
            (one, other), (here, there) = (random.choice(all_, 2, replace=False) for all_ in (NAMES, PLACES))
            context = f"{one} lives in {here} . {other} lives in {there} ."
            rows += [
                (f"who lives in {there}", context, str(other)),
                (f"where lives {one}", context, str(here)),
            ]
        return tenths(dict(zip(("question", "context", "answer"), zip(*rows, strict=True), strict=True)))

    def encode(self, train: Examples) -> Vocabulary:
        return Vocabulary.of([*train["question"], *train["context"]])

    def _inputs(self, questions: Any, contexts: Any, encoder: Vocabulary) -> dict[str, np.ndarray]:
        columns = {"question": questions, "context": contexts}
        # One word of padding at least, for what is empty.
        return {name: padded([[*encoder.ids(str(t)), 0] for t in texts]) for name, texts in columns.items()}

    def batches(self, examples: Examples, encoder: Vocabulary, feed: Feed) -> tf.data.Dataset:
        x = self._inputs(examples["question"], examples["context"], encoder)
        places = [
            str(context).split().index(str(answer))
            for context, answer in zip(examples["context"], examples["answer"], strict=True)
        ]
        return feed.batches(x, np.array([places, places], np.int32).T)

    def build(self, encoder: Vocabulary) -> keras.Model:
        question, context = (
            keras.Input((None,), dtype="int32", name=name) for name in ("question", "context")
        )
        embed = keras.layers.Embedding(encoder.size, 16, name="embedding")
        read = keras.layers.Bidirectional(keras.layers.GRU(16, return_sequences=True))(embed(context))
        asked = keras.layers.GRU(32)(embed(question))
        both = keras.layers.Multiply()([read, keras.layers.Reshape((1, 32))(asked)])
        hidden = keras.layers.Dense(32, "relu")(keras.layers.Concatenate()([read, both]))
        scores = keras.layers.Permute((2, 1))(keras.layers.Dense(2)(hidden))
        return keras.Model({"question": question, "context": context}, scores)

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        return [self._answer(model, encoder, each["question"], each["context"]) for each in inputs]

    def _answer(self, model: keras.Model, encoder: Vocabulary, question: str, context: str) -> dict[str, Any]:
        words = [word.span() for word in re.finditer(r"\S+", context)]
        shares = ops.convert_to_numpy(ops.softmax(model(self._inputs([question], [context], encoder))))[0]
        if not words:
            return {"answer": "", "start": 0, "end": 0, "probability": 1.0, "context": context}
        pairs = np.triu(np.outer(shares[0, : len(words)], shares[1, : len(words)]))
        first, last = np.unravel_index(pairs.argmax(), pairs.shape)
        start, end = words[first][0], words[last][1]
        probability = float(pairs[first, last])
        answer = {"answer": context[start:end], "start": start, "end": end, "probability": probability}
        return {**answer, "context": context}

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        rows = []
        columns = [map(str, examples[name]) for name in ("question", "context", "answer")]
        for row, (question, context, true) in enumerate(zip(*columns, strict=True)):
            answer = self._answer(model, encoder, question, context)
            example = {"row": row, "question": question, "true": [true], "predicted": answer.pop("answer")}
            rows.append({**example, **answer})
            if write:
                write(rows[-1])
        answers = Spans.from_rows(rows)
        return {**answers.statistics(np.arange(len(rows))), "per_word": answers.per_word()}

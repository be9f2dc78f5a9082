"""A text for a text, searched by beams and shown as it grows."""

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
from tests.miniatures.generated import END, START, Miniature, Vocabulary, padded, tenths

WORDS = {"eins": "one", "zwei": "two", "drei": "three", "vier": "four", "fünf": "five", "sechs": "six"}
LONGEST = 8  # words of an answer
Beam = tuple[list[int], float]


class Beams(Options):
    """How an answer is searched."""

    beams: int = Field(1, ge=1, le=8, description="texts that are weighed at once")


class Translation(Miniature):
    """German numbers in English."""

    content: ClassVar[tuple[str, ...]] = ("source",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="eins zwei drei")}
    gives: ClassVar[type[Answers] | None] = Texts
    figures: ClassVar[Mapping[str, Direction]] = Texts.figures
    abilities: ClassVar[frozenset[Ability]] = frozenset({"stream"})
    options: ClassVar[type[Options]] = Beams

    def load(self) -> Splits:
        random = np.random.default_rng(0)
        sources = [random.choice(list(WORDS), random.integers(2, 6)).tolist() for _ in range(130)]
        sources = [list(words) for words in dict.fromkeys(map(tuple, sources))]
        targets = [" ".join(WORDS[word] for word in words) for words in sources]
        return tenths({"source": [" ".join(words) for words in sources], "target": targets})

    def encode(self, train: Examples) -> Vocabulary:
        return Vocabulary.of([*train["source"], *train["target"]])

    def source(self, value: Any) -> str:
        """Return the text that a raw input is answered from."""
        return value

    def batches(self, examples: Examples, encoder: Vocabulary, feed: Feed) -> tf.data.Dataset:
        targets = [encoder.ids(str(text)) for text in examples["target"]]
        x = {
            "source": padded([encoder.ids(str(text)) for text in examples["source"]]),
            "so_far": padded([[START, *ids] for ids in targets]),
        }
        return feed.batches(x, padded([[*ids, END] for ids in targets]))

    def build(self, encoder: Vocabulary) -> keras.Model:
        source, so_far = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "so_far"))
        embed = keras.layers.Embedding(encoder.size, 32, mask_zero=True)
        words = embed(source)
        read = keras.layers.Bidirectional(keras.layers.GRU(32, return_sequences=True))(words)
        written = keras.layers.GRU(64, return_sequences=True)(embed(so_far))
        # Where to look is known from what is read; what stands there, from the word itself.
        looked_up = keras.layers.Attention()([written, words, read])
        hidden = keras.layers.Dense(64, "relu")(keras.layers.Concatenate()([written, looked_up]))
        return keras.Model({"source": source, "so_far": so_far}, keras.layers.Dense(encoder.size)(hidden))

    def _step(self, model: keras.Model, source: np.ndarray, beams: list[Beam], width: int) -> list[Beam]:
        """Return the likeliest beams that are one word longer; those that have ended stay as they are."""
        longer: list[Beam] = [beam for beam in beams if beam[0][-1] == END]
        for ids, score in beams:
            if ids[-1] == END:
                continue
            logits = model({"source": source, "so_far": np.array([ids], np.int32)})[0, -1]
            logs = ops.convert_to_numpy(ops.log_softmax(logits))
            longer += [([*ids, int(word)], score + float(logs[word])) for word in np.argsort(-logs)[:width]]
        return sorted(longer, key=lambda beam: -beam[1])[:width]

    def stream(
        self, model: keras.Model, encoder: Any, value: Any, options: Any = None
    ) -> Iterator[dict[str, Any]]:
        yield from self._search(model, encoder, self.source(value), options or self.options())

    def _search(
        self, model: keras.Model, encoder: Vocabulary, text: str, options: Any
    ) -> Iterator[dict[str, Any]]:
        source, width = padded([encoder.ids(text) or [END]]), options.beams
        beams: list[Beam] = [([START], 0.0)]
        while len(beams[0][0]) <= LONGEST and any(ids[-1] != END for ids, _ in beams):
            beams = self._step(model, source, beams, width)
            yield {"text": encoder.text(beams[0][0]), "finished": False}
        others = [{"text": encoder.text(ids), "score": score} for ids, score in beams[1:]]
        yield {"text": encoder.text(beams[0][0]), **({"alternatives": others} if others else {})}

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        return [list(self.stream(model, encoder, value, options))[-1] for value in inputs]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        kind = type(self).gives or Texts
        rows = []
        for row, (source, true) in enumerate(zip(examples["source"], examples["target"], strict=True)):
            *_, said = self._search(model, encoder, str(source), self.options())
            rows.append({"row": row, "source": str(source), "true": [str(true)], "predicted": said["text"]})
            if write:
                write(rows[-1])
        return kind.from_rows(rows).statistics(np.arange(len(rows)))

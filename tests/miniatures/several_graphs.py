"""An encoder-decoder in miniature, which leaves as two graphs that the loader calls in a loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from core.answers.kind import Answers
from core.answers.rows import Direction, Figures, Write
from core.answers.texts import Texts
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.inputs.kind import Input
from core.inputs.text import Text
from core.task.contract import Ability, Encoder, Task
from core.task.portable import Portable, Score, TensorGraph
from tests.miniatures.greedy import END, greedy

LENGTH, NUMBERS, WIDTH = 4, 7, 64


class Nothing(Encoder):
    """Learns nothing."""


@keras.saving.register_keras_serializable(package="tests")
class Positions(keras.layers.Layer):
    """Adds a learnt vector to each place of a sequence."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.places = self.add_weight(shape=shape[1:], initializer="random_normal", name="places")

    def call(self, x: Any) -> Any:
        return x + self.places


@keras.saving.register_keras_serializable(package="tests")
class Lookup(keras.layers.Layer):
    """Reads the memory where it resembles a query."""

    def call(self, query: Any, memory: Any) -> Any:
        weights = ops.softmax(ops.sum(query[:, None, :] * memory, axis=-1) / np.sqrt(WIDTH))
        return ops.sum(weights[:, :, None] * memory, axis=1)


def encoder_net() -> keras.Model:
    numbers = keras.Input((LENGTH,), dtype="int32", name="numbers")
    memory = Positions()(keras.layers.Embedding(NUMBERS, WIDTH)(numbers))
    memory = keras.layers.Dense(WIDTH, "relu")(memory)
    state = keras.layers.Dense(WIDTH, "tanh")(keras.layers.Flatten()(memory))
    return keras.Model(numbers, [memory, state], name="encoder")


def decoder_net() -> keras.Model:
    memory, state = keras.Input((LENGTH, WIDTH)), keras.Input((WIDTH,))
    token = keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(NUMBERS, WIDTH)(token)
    following = keras.layers.Dense(WIDTH, "tanh")(keras.layers.Concatenate()([state, embedded]))
    context = Lookup()(keras.layers.Dense(WIDTH)(following), memory)
    hidden = keras.layers.Dense(WIDTH, "relu")(keras.layers.Concatenate()([following, context]))
    logits = keras.layers.Dense(NUMBERS)(hidden)
    return keras.Model([memory, state, token], [logits, following], name="decoder_step")


class Reversals(Texts):
    """What was said of each text, too short for BLEU."""

    figures: ClassVar[Mapping[str, Direction]] = {"exact_match": "max"}


class SeveralGraphs(Task):
    """Reverses up to four numbers, one after another until it says that it has come to the end."""

    encoder_class: ClassVar[type[Encoder]] = Nothing
    content: ClassVar[tuple[str, ...]] = ("x",)
    takes: ClassVar[Mapping[str, Input]] = {"text": Text(example="3 1 4")}
    gives: ClassVar[type[Answers] | None] = Reversals
    figures: ClassVar[Mapping[str, Direction]] = {"error": "min", **Reversals.figures}
    abilities: ClassVar[frozenset[Ability]] = frozenset({"export"})

    def load(self) -> Splits:
        places = np.stack(np.meshgrid(*[np.arange(NUMBERS)] * LENGTH), axis=-1).reshape(-1, LENGTH)
        whole = ((places[:, 1:] == END) | (places[:, :-1] != END)).all(axis=1) & (places[:, 0] != END)
        x = np.random.default_rng(0).permutation(places[whole]).astype(np.int32)
        y = np.zeros((len(x), LENGTH + 1), np.int32)
        for row, numbers in zip(y, x, strict=True):
            spoken = numbers[numbers != END]
            row[: len(spoken)] = spoken[::-1]
        examples = Examples({"x": x, "y": y})
        parts = np.digitize(np.arange(len(x)), [len(x) - 300, len(x) - 150])
        return Splits(*(examples.take(parts == part) for part in range(3)), protocol="the last 150")

    def encode(self, train: Examples) -> Encoder:
        return Nothing()

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        before = np.pad(examples["y"][:, :-1], ((0, 0), (1, 0)))
        return feed.batches({"numbers": examples["x"], "before": before}, examples["y"])

    def build(self, encoder: Any) -> keras.Model:
        numbers = keras.Input((LENGTH,), dtype="int32", name="numbers")
        before = keras.Input((LENGTH + 1,), dtype="int32", name="before")
        step = decoder_net()
        memory, state = encoder_net()(numbers)
        logits = []
        for place in range(LENGTH + 1):
            stepped, state = step([memory, state, before[:, place]])
            logits.append(stepped)
        inputs = {"numbers": numbers, "before": before}
        return keras.Model(inputs, keras.layers.Lambda(stacked, name="logits")(logits))

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        return figures_by(lambda texts: scored(model, texts), examples, write)

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        return [{"text": spoken(tokens)} for tokens in scored(model, inputs)["tokens"]]

    def portable(self, model: keras.Model, encoder: Any) -> Portable:
        nets = model.get_layer("encoder"), model.get_layer("decoder_step")
        tracked = tuple(tuple(variable.value for variable in net.variables) for net in nets)
        memory = tf.TensorSpec([None, LENGTH, WIDTH], tf.float32, name="memory")
        state = tf.TensorSpec([None, WIDTH], tf.float32, name="state")
        token = tf.TensorSpec([None], tf.int32, name="token")
        numbers = tf.TensorSpec([None, LENGTH], tf.int32, name="numbers")
        return Portable(
            graph=TensorGraph(
                lambda numbers: nets[0](numbers, training=False), (numbers,), ("memory", "state"), tracked[0]
            ),
            graphs={
                "decoder_step": TensorGraph(
                    lambda *tensors: nets[1](list(tensors), training=False),
                    (memory, state, token),
                    ("logits", "next_state"),
                    tracked[1],
                )
            },
            loader="tests.miniatures.several_graphs_loader",
            settings={"length": LENGTH},
            raw=texts_of,
            score=lambda texts: scored(model, texts),
            figures=figures_by,
        )


@keras.saving.register_keras_serializable(package="tests")
def stacked(logits: list[Any]) -> Any:
    return ops.stack(logits, axis=1)


def scored(model: keras.Model, texts: Sequence[str]) -> dict[str, list[np.ndarray]]:
    """Return the tokens and logits of answers by the Keras model."""
    encoder, step = model.get_layer("encoder"), model.get_layer("decoder_step")

    def encode(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        memory, state = encoder(inputs["numbers"], training=False)
        return {"memory": ops.convert_to_numpy(memory), "state": ops.convert_to_numpy(state)}

    def decode(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        logits, state = step([inputs["memory"], inputs["state"], inputs["token"]], training=False)
        return {"logits": ops.convert_to_numpy(logits), "next_state": ops.convert_to_numpy(state)}

    return greedy(texts, LENGTH, encode, decode)


def spoken(tokens: np.ndarray) -> str:
    return " ".join(map(str, tokens))


def texts_of(examples: Examples) -> list[str]:
    return [" ".join(str(number) for number in row if number != END) for row in examples["x"].tolist()]


def figures_by(score: Score, examples: Examples, write: Write | None = None) -> Figures:
    """Return the share of answers that are wrong, and the figures of their kind."""
    texts = texts_of(examples)
    rows = [
        {"row": row, "source": text, "true": [" ".join(reversed(text.split()))], "predicted": spoken(said)}
        for row, (text, said) in enumerate(zip(texts, score(texts)["tokens"], strict=True))
    ]
    for row in rows:
        if write:
            write(row)
    wrong = [row["predicted"] not in row["true"] for row in rows]
    return {"error": float(np.mean(wrong)), **Reversals.from_rows(rows).statistics(np.arange(len(rows)))}

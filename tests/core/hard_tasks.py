"""Unusual kinds of tasks in miniature: each must fit the contract without a special case in `core`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from pydantic import Field

from core.answers.rows import Direction, Figures, Write
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.fit import Training
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


class ClosedForm(Regression):
    """Without a gradient, as alternating least squares: half of the way to the solution each sweep."""

    @property
    def learns_by_gradient(self) -> bool:
        return False

    def fit(self, training: Training) -> keras.callbacks.History:
        model, splits, fit = training.model, training.splits, training.fit
        solution, *_ = np.linalg.lstsq(splits.train["x"], splits.train["y"], rcond=None)
        called = keras.callbacks.CallbackList(list(training.callbacks), add_history=True, model=model)
        model.stop_training = False
        called.on_train_begin()
        for epoch in range(training.resume.epoch, fit.epochs):
            called.on_epoch_begin(epoch)
            kernel, bias = model.get_weights()
            model.set_weights([(kernel + solution[:, None]) / 2, bias])
            residual = splits.train["x"] @ model.get_weights()[0].ravel() - splits.train["y"]
            called.on_epoch_end(epoch, {"loss": float(np.mean(residual**2))})
        called.on_train_end()
        return model.history

    def build(self, encoder: Any) -> keras.Model:
        inputs = keras.Input((4,), name="x")
        return keras.Model(inputs, keras.layers.Dense(1)(inputs))


@keras.saving.register_keras_serializable(package="tests")
class AdversarialPair(keras.Model):
    """A generator of numbers and its judge."""

    def __init__(self, generator: keras.Model, discriminator: keras.Model) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.judge_optimizer: keras.optimizers.Optimizer | None = None
        self.seeds = keras.random.SeedGenerator(0)

    def get_config(self) -> dict[str, Any]:
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        return {name: keras.saving.serialize_keras_object(net) for name, net in nets.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AdversarialPair:
        return cls(**{name: keras.saving.deserialize_keras_object(net) for name, net in config.items()})

    def call(self, noise: Any) -> Any:
        return self.generator(noise)

    def train_step(self, data: Any) -> dict[str, Any]:
        real = data[0]
        noise = keras.random.normal((ops.shape(real)[0], 2), seed=self.seeds)
        softplus = ops.softplus
        with tf.GradientTape() as tape:
            fake = self.generator(noise, training=True)
            judged = ops.mean(softplus(-self.discriminator(real)) + softplus(self.discriminator(fake)))
        weights = self.discriminator.trainable_variables
        self.judge_optimizer.apply(tape.gradient(judged, weights), weights)
        with tf.GradientTape() as tape:
            fooled = ops.mean(softplus(-self.discriminator(self.generator(noise, training=True))))
        weights = self.generator.trainable_variables
        self.optimizer.apply(tape.gradient(fooled, weights), weights)
        return {"loss": fooled, "judge_loss": judged}


class Adversarial(Miniature):
    """A generative adversarial net: a model with a step of its own and two optimizers."""

    def load(self) -> Splits:
        splits = thirds(x=np.random.default_rng(0).normal(3, 1, size=(96, 1)).astype(np.float32))
        return replace(splits, validation=splits.validation.take([]))

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        return feed.batches(examples["x"])

    def build(self, encoder: Any) -> keras.Model:
        generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        pair = AdversarialPair(generator, keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        pair.build((None, 2))
        return pair

    def fit(self, training: Training) -> keras.callbacks.History:
        model = training.model
        model.judge_optimizer = training.fit.keras_optimizer(1)
        model.judge_optimizer.build(model.discriminator.trainable_variables)
        return super().fit(training)

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        drawn = self.predict(model, encoder, list(range(64)))
        return {"error": abs(float(np.mean([row["value"] for row in drawn]) - examples["x"].mean()))}

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        noise = np.concatenate([np.random.default_rng(seed).normal(size=(1, 2)) for seed in inputs])
        return [{"value": value} for value in ops.convert_to_numpy(model(noise)).ravel().tolist()]


class Realigned(Regression):
    """A net under a hidden Markov model: fits, aligns anew, fits again."""

    rounds: int = Field(2, ge=1, description="alignments")

    def build(self, encoder: Any) -> keras.Model:
        inputs = keras.Input((4,), name="x")
        outputs = keras.layers.Rescaling(1.0)(keras.layers.Dense(1)(inputs))
        model = keras.Model(inputs, outputs)
        model.alignment = keras.Variable(np.ones(32), trainable=False, name="alignment")
        return model

    def fit(self, training: Training) -> keras.callbacks.History:
        for done in range(1, self.rounds + 1):
            until = training.fit.model_copy(update={"epochs": training.fit.epochs * done // self.rounds})
            if until.epochs < training.resume.epoch:
                continue
            history = super().fit(replace(training, fit=until))
        return history


class Detector(keras.Model):
    """Scores a row of candidates; the loss is its own, over padded targets."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        real = ops.cast(y["present"], "float32")
        return ops.sum(real * ops.square(y_pred - y["boxes"])) / ops.maximum(ops.sum(real), 1.0)


class Detection(Miniature):
    """A detector: several targets an example, padded and masked."""

    def load(self) -> Splits:
        x = np.random.default_rng(0).normal(size=(96, 4)).astype(np.float32)
        return thirds(x=x, boxes=x[:, :3] * 2, present=np.arange(288).reshape(96, 3) % 4 > 0)

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        return feed.batches(examples["x"], {name: examples[name] for name in ("boxes", "present")})

    def build(self, encoder: Any) -> keras.Model:
        inputs = keras.Input((4,), name="x")
        return Detector(inputs, keras.layers.Dense(3)(inputs))

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        error = (ops.convert_to_numpy(model(examples["x"])) - examples["boxes"]) ** 2
        return {"error": float(error[examples["present"]].mean())}


class Generator(Miniature):
    """An autoregressive generator: windows cut with the feed's seed, answers drawn letter by letter."""

    window: int = Field(8, ge=2, description="letters a model sees")

    def load(self) -> Splits:
        letters = np.frombuffer(b"abcdefgh" * 40, np.uint8).astype(np.int32) - ord("a")
        return thirds(x=letters.reshape(-1, 16).repeat(3, axis=0))

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        def cut(x: tf.Tensor, y: None, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            start = tf.random.stateless_uniform([], seed, 0, x.shape[1] - self.window, tf.int32)
            return x[:, start : start + self.window], x[:, start + 1 : start + self.window + 1]

        if feed.training:
            return feed.batches(examples["x"], transform=cut)
        return feed.batches(examples["x"][:, : self.window], examples["x"][:, 1 : self.window + 1])

    def build(self, encoder: Any) -> keras.Model:
        inputs = keras.Input((None,), dtype="int32", name="letters")
        hidden = keras.layers.GRU(16, return_sequences=True)(keras.layers.Embedding(8, 8)(inputs))
        return keras.Model(inputs, keras.layers.Dense(8)(hidden))

    def loss(self, encoder: Any) -> keras.losses.Loss:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        logits = model(examples["x"][:, :-1])
        return {"error": float(ops.mean(self.loss(encoder)(examples["x"][:, 1:], logits)))}

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        answers = []
        for text in inputs:
            letters = [ord(letter) - ord("a") for letter in text]
            for _ in range(4):
                letters.append(int(ops.argmax(model(np.array([letters]))[0, -1])))
            answers.append({"text": "".join(chr(letter + ord("a")) for letter in letters)})
        return answers

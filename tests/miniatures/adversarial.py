"""A generative adversarial net: a model with a step of its own and two optimizers, asked by a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from pydantic import Field

from core.answers.kind import Answers
from core.answers.pictures import Pictures
from core.answers.rows import Direction, Figures, Write
from core.data.examples import Examples, Splits
from core.data.feed import Feed
from core.fit import Training
from core.inputs.kind import Input
from core.inputs.number import Number
from tests.miniatures.pictures import PictureMiniature

SIZE = (8, 8, 1)
NOISE = 4  # numbers that a picture is made of
BRIGHTNESS = 200


@keras.saving.register_keras_serializable(package="tests")
class AdversarialPair(keras.Model):
    """A generator of pictures and its judge."""

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
        noise = keras.random.normal((ops.shape(real)[0], NOISE), seed=self.seeds)
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


class Adversarial(PictureMiniature):
    """Draws pictures that are about as bright as the real ones."""

    takes: ClassVar[Mapping[str, Input]] = {"seed": Number(0, 2**31 - 1, whole=True, example=7)}
    gives: ClassVar[type[Answers] | None] = Pictures
    figures: ClassVar[Mapping[str, Direction]] = {"brightness_error": "min"}

    validation: float = Field(0.0, description="none: no figure of training says which net is better")

    def made(self, random: np.random.Generator) -> Mapping[str, np.ndarray]:
        levels = random.normal(BRIGHTNESS, 20, (200, *SIZE))
        return {"picture": np.clip(levels, 0, 255).astype(np.uint8)}

    def load(self) -> Splits:
        splits = super().load()
        return replace(splits, validation=splits.validation.take([]))

    def batches(self, examples: Examples, encoder: Any, feed: Feed) -> tf.data.Dataset:
        return feed.batches(examples["picture"].astype(np.float32) / 255)

    def build(self, encoder: Any) -> keras.Model:
        dense = keras.layers.Dense
        generator = keras.Sequential(
            [keras.Input((NOISE,)), dense(SIZE[0] * SIZE[1], "sigmoid"), keras.layers.Reshape(SIZE)]
        )
        judge = keras.Sequential([keras.Input(SIZE), keras.layers.Flatten(), dense(16, "relu"), dense(1)])
        pair = AdversarialPair(generator, judge)
        pair.build((None, NOISE))
        return pair

    def fit(self, training: Training) -> keras.callbacks.History:
        model: Any = training.model
        model.judge_optimizer = training.fit.keras_optimizer(1)
        model.judge_optimizer.build(model.discriminator.trainable_variables)
        return super().fit(training)

    def predict(
        self, model: keras.Model, encoder: Any, inputs: list[Any], options: Any = None
    ) -> list[dict[str, Any]]:
        noise = np.stack([np.random.default_rng(seed).normal(size=NOISE) for seed in inputs])
        pictures = (255 * ops.convert_to_numpy(model(noise))).round().astype(np.uint8)
        return [{"picture": picture} for picture in pictures]

    def evaluate(
        self, model: keras.Model, encoder: Any, examples: Examples, write: Write | None = None
    ) -> Figures:
        drawn = [answer["picture"] for answer in self.predict(model, encoder, list(range(16)))]
        for row, picture in enumerate(drawn):
            if write:
                write({"row": row, "predicted": picture})
        return {"brightness_error": abs(float(np.mean(drawn) - examples["picture"].mean()))}

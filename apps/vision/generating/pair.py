"""Two nets that learn from each other: a step of training with two optimizers, and the averaged generator."""

from __future__ import annotations

from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from apps.vision.generating.copies import LOOKED_AT
from core.layers import DifferentiableAugmentation
from core.losses import HingeAdversarial, NonSaturatingAdversarial
from core.losses.adversarial import input_gradient

LOSSES = {"hinge": HingeAdversarial, "non_saturating": NonSaturatingAdversarial}
R1_SHARE = 4  # the penalty is taken on one in so many pictures of a batch, whose mean is as true
AT_ONCE = 256  # pictures that are drawn


@keras.saving.register_keras_serializable(package="quartet")
class GenerativePair(keras.Model):
    """A generator, its discriminator, and the average of the generator that pictures are drawn from.

    Args:
        generator: Of `[noise, class]`.
        discriminator: Of `[picture, class]`, to scores.
        averaged: Of the form of the generator.
        augmentation: Of real and generated pictures alike, before the discriminator; nothing for none.
        loss: `hinge` or `non_saturating`.
        r1: Weight of the squared slope of the discriminator at real pictures; 0 for none.
        momentum: Of the first moments of both optimizers, where they have any.
        average: Momentum of the averaged generator.

    Attributes:
        nearest: The training pictures that the first generated ones are nearest to, once it is trained.
        copied: The share of these that count as copies.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        averaged: keras.Model,
        augmentation: DifferentiableAugmentation | None = None,
        loss: str = "non_saturating",
        r1: float = 0.0,
        momentum: float = 0.5,
        average: float = 0.999,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.generator, self.discriminator, self.averaged = generator, discriminator, averaged
        self.averaged.trainable = False
        self.augmentation = augmentation
        self.adversarial, self.r1, self.momentum, self.average = loss, r1, momentum, average
        self.judged = LOSSES[loss]("discriminator")
        self.fooling = LOSSES[loss]("generator")
        self.discriminator_optimizer: Any = None
        self.seeds = keras.random.SeedGenerator(0)
        shape = (LOOKED_AT, *generator.output.shape[1:])
        self.nearest = self.add_weight(shape, "zeros", "uint8", trainable=False, name="nearest")
        self.copied = self.add_weight((), "zeros", "float32", trainable=False, name="copied")
        names = ("loss", "generator_loss", "variety")
        self.followed = [keras.metrics.Mean(name=name) for name in names]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        parts = ("generator", "discriminator", "averaged", "augmentation")
        serialized = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in parts}
        numbers = {"r1": self.r1, "momentum": self.momentum, "average": self.average}
        return {"name": self.name, **serialized, "loss": self.adversarial, **numbers}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Return a pair from the arguments of its constructor."""
        parts = ("generator", "discriminator", "averaged", "augmentation")
        nets = {name: keras.saving.deserialize_keras_object(config[name]) for name in parts}
        return cls(**{**config, **nets})

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: its parts are built."""
        self.built = True

    def compile(self, optimizer: Any = "adam", **options: Any) -> None:
        """Take the optimizer of the generator; that of the discriminator is an attribute."""
        super().compile(optimizer=optimizer, **options)
        pairs = ((optimizer, self.generator), (self.discriminator_optimizer, self.discriminator))
        for each, net in pairs:
            if each is None:
                continue
            if hasattr(each, "beta_1"):
                each.beta_1 = self.momentum
            each.build(net.trainable_variables)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return how real uint8 pictures of classes are, which is what a batch can be asked for.

        New pictures are drawn by `averaged`.
        """
        return self.discriminator([_scaled(inputs["picture"]), inputs["class"]], training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Let each net learn once from a batch of uint8 pictures and their classes."""
        real, labels = _scaled(data[0]["picture"]), data[0]["class"]
        judged, variety = self._discriminator_step(real, labels)
        fooled = self._generator_step(labels)
        self._average()
        for metric, value in zip(self.followed, (judged, fooled, variety), strict=True):
            metric.update_state(value)
        return {metric.name: metric.result() for metric in self.followed}

    def _noise(self, labels: Any) -> Any:
        return keras.random.normal((ops.shape(labels)[0], self.generator.input[0].shape[1]), seed=self.seeds)

    def _changed(self, pictures: Any) -> Any:
        return pictures if self.augmentation is None else self.augmentation(pictures)

    def _discriminator_step(self, real: Any, labels: Any) -> tuple[Any, Any]:
        fake = self.generator([self._noise(labels), labels], training=True)
        both = ops.concatenate([self._changed(real), self._changed(fake)])
        twice = ops.concatenate([labels, labels])
        count = ops.shape(labels)[0]
        is_real = ops.concatenate([ops.ones((count, 1)), ops.zeros((count, 1))])
        weights = self.discriminator.trainable_variables
        with tf.GradientTape() as tape:
            loss = judged = self.judged(is_real, self.discriminator([both, twice], training=True))
            if self.r1:
                few = -(-count // R1_SHARE)
                # Half of the weight, as in the paper; the loss beside it is half of the paper's sum.
                loss = judged + self.r1 / 4 * self._slope(both[:few], labels[:few])
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
        spread = [ops.mean(ops.std(pictures, axis=0)) for pictures in (fake, real)]
        return judged, spread[0] / ops.maximum(spread[1], 1e-6)

    def _slope(self, real: Any, labels: Any) -> Any:
        slope = input_gradient(lambda pictures: self.discriminator([pictures, labels], training=False), real)
        return ops.mean(ops.sum(ops.square(slope), axis=(1, 2, 3)))

    def _generator_step(self, labels: Any) -> Any:
        weights = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            fake = self.generator([self._noise(labels), labels], training=True)
            scores = self.discriminator([self._changed(fake), labels], training=False)
            loss = self.fooling(ops.zeros_like(scores), scores)
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def _average(self) -> None:
        """Move the average towards the generator; faster at first, where the average is of nothing yet."""
        steps = ops.cast(self.optimizer.iterations, "float32")
        momentum = ops.minimum(self.average, steps / (steps + 10.0))
        for mean, weight in zip(self.averaged.variables, self.generator.variables, strict=True):
            mean.assign(momentum * mean + (1.0 - momentum) * ops.cast(weight, mean.dtype))


def _scaled(pictures: Any) -> Any:
    return ops.cast(pictures, "float32") / 127.5 - 1.0


def drawn(model: keras.Model, noise: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return a picture for each row of noise and each class, float32 in [-1, 1].

    Args:
        model: A `GenerativePair`.
        noise: float32, shape `(num_pictures, size)`.
        labels: Classes, int32, shape `(num_pictures,)`.
    """
    pair: Any = model
    blocks = [slice(start, start + AT_ONCE) for start in range(0, len(noise), AT_ONCE)]
    pictures = [pair.averaged.predict_on_batch([noise[block], labels[block]]) for block in blocks]
    return np.concatenate([np.asarray(each, np.float32) for each in pictures])

"""Random changes to waves while training: speed, place and noise.

Each draws anew for every wave of a batch, and leaves waves as they are outside training.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import keras
from keras import ops


class RandomWaveLayer(keras.layers.Layer, ABC):
    """A layer that changes waves of shape `(batch_size, num_samples)` in training alone.

    A subclass gives `augment`.

    Args:
        seed: Of the random numbers.
        dtype: Precision, float32 under any policy.
    """

    def __init__(self, seed: int | None = None, dtype: Any = "float32", **kwargs: Any) -> None:
        super().__init__(dtype=dtype, **kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    @abstractmethod
    def augment(self, waves: Any) -> Any:
        """Return the waves changed at random."""

    def uniform(self, waves: Any, low: float, high: float) -> Any:
        """Return a number for each wave, shape `(batch_size, 1)`."""
        shape = (ops.shape(waves)[0], 1)
        return keras.random.uniform(shape, low, high, dtype=self.compute_dtype, seed=self.seed_generator)

    def call(self, waves: Any, training: bool = False) -> Any:
        """Return the waves, changed in training."""
        return self.augment(waves) if training else waves

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="quartet")
class RandomSpeed(RandomWaveLayer):
    """Plays waves faster or slower, as if the voice were another's, and moves them in time.

    Speed changes pitch, formants and tempo together, about the middle of the wave. Between samples it
    interpolates linearly; beyond the ends there is silence.

    Args:
        speed: Largest change of speed either way, in `[0, 1)`: 0.1 draws from 1 / 1.1 to 1.1 times.
        shift: Longest move earlier or later, as a share of the wave, in `[0, 1]`.
        seed: Of the changes.

    Reference:
        Ko et al., Audio augmentation for speech recognition, 2015.
    """

    def __init__(self, speed: float = 0.1, shift: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (0 <= speed < 1 and 0 <= shift <= 1):
            raise ValueError(
                f"speed must be in [0, 1) and shift in [0, 1]. Received: speed={speed}, shift={shift}."
            )
        self.speed = speed
        self.shift = shift

    def augment(self, waves: Any) -> Any:
        """Return the waves resampled."""
        num_samples = ops.shape(waves)[1]
        last = ops.cast(num_samples - 1, self.compute_dtype)
        speed = ops.exp(self.uniform(waves, -math.log1p(self.speed), math.log1p(self.speed)))
        move = self.uniform(waves, -self.shift, self.shift) * last
        middle = last / 2
        place = (ops.cast(ops.arange(num_samples), self.compute_dtype) - middle) * speed + middle - move
        before = ops.clip(ops.floor(place), 0, last)
        after = ops.minimum(before + 1, last)
        share = place - before
        moved = (1 - share) * _samples(waves, before) + share * _samples(waves, after)
        return ops.where((place >= 0) & (place <= last), moved, 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "speed": self.speed, "shift": self.shift}


def _samples(waves: Any, places: Any) -> Any:
    return ops.take_along_axis(waves, ops.cast(places, "int32"), axis=1)


@keras.saving.register_keras_serializable(package="quartet")
class RandomNoise(RandomWaveLayer):
    """Adds hiss or rumble to some of the waves.

    The noise is white, and a filter of one coefficient tilts its spectrum down or up at random.

    Args:
        probability: Share of the waves that get noise, in `[0, 1]`.
        min_ratio: Least ratio of the wave's power to the noise's, in decibels.
        max_ratio: Greatest ratio, in decibels, at least `min_ratio`.
        seed: Of the noise.
    """

    def __init__(
        self, probability: float = 0.5, min_ratio: float = 5.0, max_ratio: float = 40.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= probability <= 1 or min_ratio > max_ratio:
            raise ValueError(
                "probability must be in [0, 1] and min_ratio at most max_ratio. Received: "
                f"probability={probability}, min_ratio={min_ratio}, max_ratio={max_ratio}."
            )
        self.probability = probability
        self.min_ratio = min_ratio
        self.max_ratio = max_ratio

    def augment(self, waves: Any) -> Any:
        """Return the waves, some with noise."""
        white = keras.random.normal(ops.shape(waves), dtype=self.compute_dtype, seed=self.seed_generator)
        tilt = self.uniform(waves, -0.95, 0.95)
        noise = (white + tilt * ops.roll(white, 1, axis=1)) / ops.sqrt(1 + ops.square(tilt))
        ratio = self.uniform(waves, self.min_ratio, self.max_ratio)
        power = ops.mean(ops.square(waves), axis=1, keepdims=True)
        chosen = ops.cast(self.uniform(waves, 0, 1) < self.probability, self.compute_dtype)
        return waves + chosen * noise * ops.sqrt(power * ops.power(10.0, -ratio / 10))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        names = ("probability", "min_ratio", "max_ratio")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

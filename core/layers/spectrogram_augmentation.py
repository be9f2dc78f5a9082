"""Random changes to spectrograms while training: masks, and other microphones."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class SpecAugment(keras.layers.Layer):
    """Hides stretches of time and of frequency while training.

    What is hidden becomes 0: put the layer behind a normalisation, so that 0 is the mean.

    Args:
        num_masks: Stretches of time, and as many of frequency, at least 0.
        time_share: Longest stretch of time, as a share of the frames, in `[0, 1]`.
        frequency_share: Widest stretch of frequency, as a share of the bands, in `[0, 1]`.
        seed: Of the masks.

    Input shape:
        Spectrograms, float, shape `(batch_size, num_frames, num_bands)`.

    Output shape:
        The same.

    Reference:
        Park et al., SpecAugment, 2019 (https://arxiv.org/abs/1904.08779), section 2, without time warping.
    """

    def __init__(
        self,
        num_masks: int = 2,
        time_share: float = 0.15,
        frequency_share: float = 0.15,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_masks < 0 or not (0 <= time_share <= 1 and 0 <= frequency_share <= 1):
            raise ValueError(
                "SpecAugment needs num_masks >= 0 and shares in [0, 1]. Received: "
                f"num_masks={num_masks}, time_share={time_share}, frequency_share={frequency_share}."
            )
        self.num_masks = num_masks
        self.time_share = time_share
        self.frequency_share = frequency_share
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, spectrograms: Any, training: bool = False) -> Any:
        """Return the spectrograms with parts hidden in training, and as they are otherwise."""
        if not training:
            return spectrograms
        batch_size, num_frames, num_bands = ops.shape(spectrograms)
        for _ in range(self.num_masks):
            time = self._kept(batch_size, num_frames, self.time_share)
            frequency = self._kept(batch_size, num_bands, self.frequency_share)
            spectrograms = spectrograms * ops.expand_dims(time, 2) * ops.expand_dims(frequency, 1)
        return spectrograms

    def _kept(self, batch_size: Any, size: Any, share: float) -> Any:
        """Return `(batch_size, size)`: 0 in a stretch of random length and place, 1 elsewhere."""
        draw = keras.random.uniform((2, batch_size, 1), dtype="float32", seed=self.seed_generator)
        total = ops.cast(size, "float32")
        length = draw[0] * share * total
        start = draw[1] * (total - length)
        place = ops.cast(ops.arange(size), "float32")
        return ops.cast((place < start) | (place >= start + length), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        names = ("num_masks", "time_share", "frequency_share", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="quartet")
class RandomEqualizer(keras.layers.Layer):
    """Changes the balance of high and low frequencies while training, as another microphone or room would.

    Each spectrogram gets a random curve over its bands added, the same in all frames: a slope and a bow.

    Args:
        strength: Standard deviation of the slope at the edges and of the bow, at least 0, in units of the
            spectrogram.
        seed: Of the curves.

    Input shape:
        Log spectrograms, float, shape `(batch_size, num_frames, num_bands)`.

    Output shape:
        The same.
    """

    def __init__(self, strength: float = 0.5, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if strength < 0:
            raise ValueError(f"strength must be at least 0. Received: strength={strength}.")
        self.strength = strength
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, spectrograms: Any, training: bool = False) -> Any:
        """Return the spectrograms with their curves added in training, and as they are otherwise."""
        if not training:
            return spectrograms
        batch_size, _, num_bands = ops.shape(spectrograms)
        place = ops.linspace(-1.0, 1.0, num_bands)
        shapes = ops.stack([place, ops.square(place) - 1 / 3])
        draw = keras.random.normal((batch_size, 2), dtype="float32", seed=self.seed_generator)
        curves = ops.cast(self.strength * ops.matmul(draw, shapes), self.compute_dtype)
        return spectrograms + ops.expand_dims(curves, 1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "strength": self.strength, "seed": self.seed}

"""Augmentation that gradients pass through, for adversarial nets with few pictures."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class DifferentiableAugmentation(keras.layers.Layer):
    """Changes light and contrast, moves, and cuts out a part of each picture, all of it differentiable.

    Both real and generated pictures go through it before the discriminator, which so can't learn few real
    ones by heart, while the generator need not make what the changes do. It is for training alone: call it
    where it is wanted.

    Args:
        light: Largest change of brightness, in the units of the pictures, and of contrast, as a share.
        shift: Largest move along each axis, as a share of the side; what is uncovered becomes `fill`.
        cut: Side of the square that becomes `fill`, as a share of the side; 0 for none.
        fill: What stands where nothing of the picture is left.
        seed: Of all changes.

    Input shape:
        Floats, `(batch, height, width, channels)`, of known height and width.

    Output shape:
        The same.

    Reference:
        Zhao et al., 2020, Differentiable Augmentation for Data-Efficient GAN Training,
        https://arxiv.org/abs/2006.10738

    Example:

    >>> layer = DifferentiableAugmentation(light=0.0, shift=0.0, cut=0.5, seed=1)
    >>> int(ops.sum(layer(ops.ones((1, 4, 4, 1)))))
    12
    """

    def __init__(
        self,
        light: float = 0.2,
        shift: float = 0.125,
        cut: float = 0.5,
        fill: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value, most in (("light", light, 1), ("shift", shift, 1), ("cut", cut, 1)):
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be from 0 to {most}. Received: {name}={value}.")
        self.light, self.shift, self.cut, self.fill, self.seed = light, shift, cut, fill, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, pictures: Any) -> Any:
        """Return the pictures, each changed in a way of its own."""
        if self.light:
            pictures = self._lit(pictures)
        if self.shift:
            pictures = self._moved(pictures)
        return self._cut(pictures) if self.cut else pictures

    def _uniform(self, pictures: Any, low: float, high: float) -> Any:
        shape = (ops.shape(pictures)[0], 1, 1, 1)
        return keras.random.uniform(shape, low, high, dtype=pictures.dtype, seed=self.seed_generator)

    def _whole(self, pictures: Any, low: int, high: int) -> Any:
        """Return a whole number of [low, high] for each picture."""
        drawn = ops.floor(ops.cast(self._uniform(pictures, 0.0, 1.0), "float32") * (high - low + 1))
        return low + ops.minimum(ops.cast(drawn, "int32"), high - low)

    def _lit(self, pictures: Any) -> Any:
        mean = ops.mean(pictures, axis=(1, 2, 3), keepdims=True)
        contrast = self._uniform(pictures, 1 - self.light, 1 + self.light)
        return mean + (pictures - mean) * contrast + self._uniform(pictures, -self.light, self.light)

    def _moved(self, pictures: Any) -> Any:
        for axis in (1, 2):
            side = pictures.shape[axis]
            most = int(self.shift * side)
            places = ops.arange(side, dtype="int32")
            shape = [1, 1, 1, 1]
            shape[axis] = side
            source = ops.reshape(places, shape) + self._whole(pictures, -most, most)
            inside = ops.cast(ops.logical_and(source >= 0, source < side), pictures.dtype)
            # A product with zeros and ones: its gradient is one too, which is fast everywhere.
            rows = ops.reshape(source, (-1, side, 1))
            chosen = ops.cast(ops.equal(rows, places), pictures.dtype)
            moved = ops.einsum("bij,bjwc->biwc" if axis == 1 else "bij,bhjc->bhic", chosen, pictures)
            pictures = moved + (1 - inside) * self.fill
        return pictures

    def _cut(self, pictures: Any) -> Any:
        within_both: Any = None
        for axis in (1, 2):
            side = pictures.shape[axis]
            shape = [1, 1, 1, 1]
            shape[axis] = side
            long = int(self.cut * side)
            start = self._whole(pictures, 0, side - long)
            places = ops.reshape(ops.arange(side, dtype="int32"), shape)
            within = ops.logical_and(places >= start, places < start + long)
            within_both = within if within_both is None else ops.logical_and(within_both, within)
        cut = ops.cast(within_both, pictures.dtype)
        return pictures * (1 - cut) + self.fill * cut

    def compute_output_spec(self, pictures: Any) -> keras.KerasTensor:
        """Return the shape and type of the input."""
        return keras.KerasTensor(pictures.shape, pictures.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        names = ("light", "shift", "cut", "fill", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

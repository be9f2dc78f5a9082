"""Self-attention to what came before, which tells how long ago that was."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class CausalAttention(keras.layers.Layer):
    """Self-attention in which a step sees itself and what came before it, with a bias by the distance.

    Padding stands behind each sequence, where no step before it sees it.

    Args:
        num_heads: Into which the width is divided.
        num_distances: How many distances between steps have a bias of their own; those beyond share that of
            the farthest. With 0 the layer does not tell them apart.
        dropout: Share of the attention weights that are dropped while training.
        seed: Of the dropout.

    Input shape:
        `(batch_size, num_steps, width)`, float.

    Output shape:
        The same.

    Reference:
        Vaswani et al., 2017, Attention Is All You Need, section 3.2; the biases as in Raffel et al., 2020,
        Exploring the Limits of Transfer Learning, section 2.1, without buckets.

    Example:

    >>> layer = CausalAttention(num_heads=2, num_distances=8)
    >>> layer(keras.random.normal((2, 5, 4), seed=0)).shape == (2, 5, 4)
    True
    """

    def __init__(
        self,
        num_heads: int = 1,
        num_distances: int = 0,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads, self.num_distances, self.rate, self.seed = num_heads, num_distances, dropout, seed
        self.dropout = keras.layers.Dropout(dropout, seed=seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the kernels and biases."""
        width = input_shape[-1]
        if width is None or width % self.num_heads:
            raise ValueError(f"The width must divide by {self.num_heads} heads. Received: {width}.")
        self.inner = self.add_weight(shape=(width, 3 * width), initializer="glorot_uniform", name="inner")
        self.inner_bias = self.add_weight(shape=(3 * width,), initializer="zeros", name="inner_bias")
        self.outer = self.add_weight(shape=(width, width), initializer="glorot_uniform", name="outer")
        self.outer_bias = self.add_weight(shape=(width,), initializer="zeros", name="outer_bias")
        if self.num_distances:
            shape = (self.num_heads, self.num_distances)
            self.by_distance = self.add_weight(shape=shape, initializer="zeros", name="by_distance")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return what each step gathers from those up to it."""
        num_steps, width = ops.shape(inputs)[1], inputs.shape[-1]
        each = width // self.num_heads
        projected = ops.reshape(
            ops.matmul(inputs, self.inner) + self.inner_bias, (-1, num_steps, 3 * self.num_heads, each)
        )
        query, key, value = ops.split(ops.transpose(projected, (0, 2, 1, 3)), 3, axis=1)
        scores = ops.matmul(query * each**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        steps = ops.arange(num_steps, dtype="int32")
        distance = steps[:, None] - steps[None]
        if self.num_distances:
            near = ops.clip(distance, 0, self.num_distances - 1)
            scores = scores + ops.cast(ops.take(self.by_distance, near, axis=1), scores.dtype)
        scores = ops.where(distance >= 0, scores, ops.cast(-1e4, scores.dtype))
        weights = self.dropout(ops.softmax(scores, axis=-1), training=training)
        gathered = ops.reshape(
            ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3)), (-1, num_steps, width)
        )
        return ops.matmul(gathered, self.outer) + self.outer_bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "num_distances": self.num_distances,
            "dropout": self.rate,
            "seed": self.seed,
        }

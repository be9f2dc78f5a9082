"""Layers of nets that read histories: places, vectors of what is recommended, and what has followed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from apps.recommendation.histories.memory import Followed


@keras.saving.register_keras_serializable(package="quartet")
class Positions(layers.Layer):
    """Adds to each step a vector of its place, counted from the first.

    Args:
        length: How many places have a vector; the steps after them share that of the last.

    Input shape:
        `(batch_size, num_steps, width)`, float.
    """

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.length = length

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the vectors."""
        self.vectors = self.add_weight(
            shape=(self.length, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="vectors",
        )

    def call(self, inputs: Any) -> Any:
        """Add the vectors."""
        places = ops.minimum(ops.arange(ops.shape(inputs)[1], dtype="int32"), self.length - 1)
        return inputs + ops.take(self.vectors, places, axis=0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "length": self.length}


@keras.saving.register_keras_serializable(package="quartet")
class TargetVectors(layers.Layer):
    """Holds vectors of items that states are compared with, where they aren't those of histories.

    Args:
        num_items: Of the known items and the unknown one.

    Input shape:
        States, `(batch_size, num_steps, width)`, which go through as they are.
    """

    def __init__(self, num_items: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_items = num_items

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the vectors."""
        self.embeddings = self.add_weight(
            shape=(self.num_items, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="embeddings",
            autocast=False,
        )

    def call(self, inputs: Any) -> Any:
        """Return the states."""
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_items": self.num_items}


@keras.saving.register_keras_serializable(package="quartet")
class Memory(layers.Layer):
    """Holds what has followed each item in training, and which share of an answer it is.

    Args:
        num_items: Of the known items and the unknown one.
        num_pairs: Of items of which one has followed the other.

    Input shape:
        States, `(batch_size, num_steps, width)`, which go through as they are.
    """

    def __init__(self, num_items: int, num_pairs: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_items, self.num_pairs = num_items, num_pairs

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make room for the pairs; there are none until `remember`."""
        self.followers = self._held("followers", (self.num_pairs,), "int32")
        self.offsets = self._held("offsets", (self.num_items + 1,), "int32")
        self.frequencies = self._held("frequencies", (self.num_pairs,), "float32")
        self.share = self._held("share", (), "float32")

    def _held(self, name: str, shape: tuple[int, ...], dtype: str) -> Any:
        return self.add_weight(
            shape=shape, dtype=dtype, initializer="zeros", trainable=False, autocast=False, name=name
        )

    def remember(self, followed: Followed) -> None:
        """Keep what has followed each item.

        Raises:
            ValueError: It is of other sizes.
        """
        self.followers.assign(followed.items)
        self.offsets.assign(followed.offsets)
        self.frequencies.assign(followed.weights)

    def recall(self) -> Followed:
        """Return what has followed each item."""
        items, offsets, weights = (
            np.asarray(ops.convert_to_numpy(each))
            for each in (self.followers, self.offsets, self.frequencies)
        )
        return Followed(items, offsets, weights)

    def call(self, inputs: Any) -> Any:
        """Return the states."""
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_items": self.num_items, "num_pairs": self.num_pairs}

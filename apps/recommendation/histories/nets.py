"""Nets that read a history, by self-attention or recurrence, and compare their states with items."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from apps.recommendation.histories.memory import Followed
from core.layers import FusedGRU, LargeEmbedding, LookupModel, take_rows

ITEMS, TARGETS, STATES, MEMORY = "items", "targets", "states", "memory"


@keras.saving.register_keras_serializable(package="quartet")
class NextItem(LookupModel):
    """From histories to a state after each item, trained to score the item that comes next.

    Targets are a mapping: `next`, the item after each, 0 where there is none, `(batch_size, num_steps)`; and
    maybe `negatives`, items that all histories of the batch are compared with, `(num_negatives,)`. With
    these, the loss that it was compiled with is that of the next item and the negatives; without them it is
    the cross-entropy of the next item among all.
    """

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss an item."""
        chosen = ops.reshape(y["next"], (-1,))
        states = ops.cast(ops.reshape(y_pred, (-1, y_pred.shape[-1])), "float32")
        is_item = ops.cast(chosen > 0, "float32")
        table = item_table(self)
        if "negatives" not in y:
            losses = keras.losses.sparse_categorical_crossentropy(
                chosen, ops.matmul(states, ops.transpose(table)), from_logits=True
            )
            return ops.sum(losses * is_item) / ops.maximum(ops.sum(is_item), 1.0)
        own = ops.sum(states * take_rows(table, chosen), axis=-1, keepdims=True)
        others = ops.matmul(states, ops.transpose(take_rows(table, y["negatives"])))
        ids = ops.where(chosen > 0, chosen, -1)[:, None]
        shared = ops.broadcast_to(y["negatives"][None], ops.shape(others))
        scores = ops.concatenate([own, others], axis=-1)
        return self.loss(ops.concatenate([ids, shared], axis=-1), scores, sample_weight=is_item)


def item_table(model: keras.Model) -> Any:
    """Return the vectors of all items that states are compared with, shape `(num_items, width)`."""
    names = [layer.name for layer in model.layers]
    return model.get_layer(TARGETS if TARGETS in names else ITEMS).embeddings


@keras.saving.register_keras_serializable(package="quartet")
class CausalAttention(layers.Layer):
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
        self.dropout = layers.Dropout(dropout, seed=seed)

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


def memory_layer(model: keras.Model) -> Memory | None:
    """Return the layer that holds what has followed each item, where a net has one."""
    return next((layer for layer in model.layers if isinstance(layer, Memory)), None)


def _embedded(num_items: int, width: int) -> tuple[Any, Any]:
    """Return the input of a net, and the vectors of its items."""
    history = keras.Input((None,), dtype="int32", name="history")
    start = keras.initializers.RandomNormal(stddev=0.02)
    vectors = LargeEmbedding(num_items, width, embeddings_initializer=start, name=ITEMS)(history)
    return history, vectors


def _net(history: Any, states: Any, num_items: int, *, tied: bool, num_pairs: int) -> NextItem:
    """Return the net from histories to states."""
    outputs = states if tied else TargetVectors(num_items, name=TARGETS)(states)
    if num_pairs:
        outputs = Memory(num_items, num_pairs, name=MEMORY)(outputs)
    return NextItem({"history": history}, outputs, name="next_item")


def attention_net(
    num_items: int,
    *,
    length: int,
    width: int,
    depth: int,
    heads: int,
    dropout: float,
    positions: str,
    tied: bool = True,
    num_pairs: int = 0,
) -> NextItem:
    """Return a net of self-attention.

    Args:
        num_items: Of the known items and the unknown one.
        length: Of a history.
        width: Of a vector.
        depth: Blocks of attention.
        heads: Of each block.
        dropout: Share of units and of attention weights dropped.
        positions: `absolute` counts the steps from the first, `relative` tells how far two are apart, `none`
            does not tell.
        tied: Whether the vectors of histories are those that states are compared with.
        num_pairs: Of items of which one has followed the other, that the net remembers.
    """
    history, vectors = _embedded(num_items, width)
    states = Positions(length, name="positions")(vectors) if positions == "absolute" else vectors
    states = layers.Dropout(dropout)(states)
    for block in range(depth):
        attend = CausalAttention(
            heads, length if positions == "relative" else 0, dropout, name=f"attention_{block}"
        )
        gathered = attend(layers.LayerNormalization(epsilon=1e-6)(states))
        states = states + layers.Dropout(dropout)(gathered)
        hidden = layers.Dense(width * 4, "relu")(layers.LayerNormalization(epsilon=1e-6)(states))
        states = states + layers.Dropout(dropout)(layers.Dense(width)(hidden))
    states = layers.LayerNormalization(epsilon=1e-6, name=STATES)(states)
    return _net(history, states, num_items, tied=tied, num_pairs=num_pairs)


def recurrent_net(
    num_items: int, *, width: int, depth: int, dropout: float, tied: bool = True, num_pairs: int = 0
) -> NextItem:
    """Return a recurrent net.

    Args:
        num_items: Of the known items and the unknown one.
        width: Of a vector and of a state.
        depth: Recurrent layers.
        dropout: Share of the units dropped between layers.
        tied: As of `attention_net`.
        num_pairs: Likewise.
    """
    history, vectors = _embedded(num_items, width)
    states = layers.Dropout(dropout)(vectors)
    for layer in range(depth):
        read = FusedGRU(width, return_sequences=True, name=f"recurrence_{layer}")
        states = layers.Dropout(dropout)(read(states))
    states = layers.Dense(width, name=STATES)(states)
    return _net(history, states, num_items, tied=tied, num_pairs=num_pairs)

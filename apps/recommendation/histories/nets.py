"""Nets that read a history, by self-attention or recurrence, and compare their states with items."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from apps.recommendation.histories.layers import Memory, Positions, TargetVectors
from core.layers import CausalAttention, FusedGRU, LargeEmbedding, LookupModel, take_rows

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
            scores = ops.matmul(states, ops.transpose(table[1:]))  # without the unknown item
            losses = keras.losses.sparse_categorical_crossentropy(
                ops.maximum(chosen - 1, 0), scores, from_logits=True
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

"""The graph of a linear recommender, from users to the scores of all items, as an export holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.recommendation.factors.towers import USER_TOWER
from apps.recommendation.linear.model import weights_layer
from core.task.portable import TensorGraph

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

GATHERED = 2**25  # weights that one call of the graph may multiply


def users_at_once(model: keras.Model) -> int:
    """Return for how many users the graph may be called at a time."""
    layer = weights_layer(model)
    return max(GATHERED // (layer.num_items * (1 if layer.dense else layer.num_kept)), 1)


def linear_graph(model: keras.Model) -> TensorGraph:
    """Return the graph: a product with all weights, or with those that an item has."""
    import tensorflow as tf

    tower, layer = model.get_layer(USER_TOWER), weights_layer(model)
    weight, others = layer.weight.value, None if layer.others is None else layer.others.value

    def scored(user: tf.Tensor) -> tf.Tensor:
        chosen = tf.cast(tower(user, training=False), tf.float32)
        if others is None:
            return tf.matmul(chosen, weight, transpose_b=True)
        return tf.reduce_sum(tf.gather(chosen, others, axis=1) * weight, axis=-1)

    tracked = (
        *(variable.value for variable in tower.variables),
        weight,
        *([] if others is None else [others]),
    )
    return TensorGraph(scored, (tf.TensorSpec([None], tf.int32, name="user"),), "scores", tracked)

"""What an export of a recommender holds: a graph from users to the scores of all items, and what they saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.catalogue.interactions import numbered
from apps.recommendation.factors.towers import USER_TOWER, item_vectors, seen_layer
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.recommendation.catalogue.encoder import RatingsEncoder
    from apps.recommendation.catalogue.judging import ScoreUsers
    from core.answers.rows import Figures
    from core.data.examples import Examples


def towers_graph(model: keras.Model) -> TensorGraph:
    """Return the graph from users to the scores of all items: the product of the towers' vectors."""
    import tensorflow as tf

    tower, mean = model.get_layer(USER_TOWER), float(model.get_layer("mean").offset)
    items = tf.Variable(item_vectors(model).T, trainable=False)

    def scored(user: tf.Tensor) -> tf.Tensor:
        return tf.matmul(tf.cast(tower(user, training=False), tf.float32), items) + mean

    return TensorGraph(
        scored,
        (tf.TensorSpec([None], tf.int32, name="user"),),
        "scores",
        (items, *(variable.value for variable in tower.variables)),
    )


def portable_recommender(
    model: keras.Model,
    encoder: RatingsEncoder,
    *,
    figures_by: Callable[[ScoreUsers, Examples], Figures],
    bounds: Sequence[float],
    score_name: str,
    top: int,
    scores: ScoreUsers,
    graph: TensorGraph | None = None,
    users_at_once: int | None = None,
) -> Portable:
    """Return what leaves with a recommender.

    Args:
        model: Two towers.
        encoder: Of their training.
        figures_by: From whatever scores all items for users, and examples, to their figures.
        bounds: The least and the largest score of a pair; may be infinite.
        score_name: What a score is called in an answer.
        top: How many items are recommended.
        scores: From users to the scores of all items, as the model has them.
        graph: Of the same; by default the product of the towers' vectors.
        users_at_once: For how many users the graph may be called at a time; any number by default.
    """
    seen = seen_layer(model).recall()

    def raw(examples: Examples) -> list[str]:
        return np.unique(examples["user"]).tolist()

    def score(users: Sequence[Any]) -> np.ndarray:
        return scores(numbered(list(users), encoder.user_index))

    def figures(score: Score, examples: Examples) -> Figures:
        names = ["", *encoder.users]
        return figures_by(lambda users: score([names[user] for user in users]), examples)

    return Portable(
        graph=graph or towers_graph(model),
        loader="apps.recommendation.catalogue.loader",
        settings={
            "users": encoder.users,
            "items": encoder.items,
            "titles": encoder.titles,
            "item_counts": encoder.item_counts,
            "popular": encoder.popular[:top].tolist(),
            "bounds": [bound if np.isfinite(bound) else None for bound in bounds],
            "score_name": score_name,
            "top": top,
            "users_at_once": users_at_once,
        },
        raw=raw,
        score=score,
        figures=figures,
        arrays={"seen": {"items": seen.values.astype(np.int32), "offsets": seen.offsets}},
    )

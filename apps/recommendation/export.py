"""What an export of a recommender holds: a graph from users to the scores of all items, and what they saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.interactions import numbered
from apps.recommendation.towers import USER_TOWER, item_vectors, seen_layer, user_scores
from core.exporting.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from apps.recommendation.collaborative import CollaborativeFiltering
    from apps.recommendation.encoder import RatingsEncoder
    from core.data.examples import Examples
    from core.task import Figures


def portable_recommender(
    task: CollaborativeFiltering, model: keras.Model, encoder: RatingsEncoder
) -> Portable:
    """Return what leaves with a recommender."""
    import tensorflow as tf

    tower, mean = model.get_layer(USER_TOWER), float(model.get_layer("mean").offset)
    items = tf.Variable(item_vectors(model).T, trainable=False)
    scores, seen = user_scores(model), seen_layer(model).recall()
    bounds = task.bounded(np.array([-np.inf, np.inf]), encoder).tolist()

    def scored(user: tf.Tensor) -> tf.Tensor:
        return tf.matmul(tf.cast(tower(user, training=False), tf.float32), items) + mean

    def raw(examples: Examples) -> list[str]:
        return np.unique(examples["user"]).tolist()

    def score(users: Sequence[Any]) -> np.ndarray:
        return scores(numbered(list(users), encoder.user_index))

    def figures(score: Score, examples: Examples) -> Figures:
        names = ["", *encoder.users]
        return task.figures(lambda users: score([names[user] for user in users]), model, encoder, examples)

    return Portable(
        graph=TensorGraph(
            scored,
            (tf.TensorSpec([None], tf.int32, name="user"),),
            "scores",
            (items, *(variable.value for variable in tower.variables)),
        ),
        loader="apps.recommendation.loader",
        settings={
            "users": encoder.users,
            "items": encoder.items,
            "titles": encoder.titles,
            "item_counts": encoder.item_counts,
            "popular": encoder.popular[: task.top].tolist(),
            "bounds": [bound if np.isfinite(bound) else None for bound in bounds],
            "score_name": task.score_name,
            "top": task.top,
        },
        raw=raw,
        score=score,
        figures=figures,
        arrays={"seen": {"items": seen.values.astype(np.int32), "offsets": seen.offsets}},
    )

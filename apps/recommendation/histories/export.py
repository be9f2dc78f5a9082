"""What an export of a net that reads histories holds: a graph from histories to the scores of all items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.histories.encoder import Histories, HistoryEncoder
from apps.recommendation.histories.examples import ids_of
from apps.recommendation.histories.scoring import Reader
from core.task.portable import Portable, Score, TensorGraph

if TYPE_CHECKING:
    import tensorflow as tf

    from apps.recommendation.catalogue.judging import ScoreUsers
    from core.answers.rows import Figures
    from core.data.examples import Examples


def scores_graph(reader: Reader) -> TensorGraph:
    """Return the graph from histories of a fixed length, zeros behind, to the scores of all items."""
    import tensorflow as tf

    model, table = reader.model, tf.Variable(reader.table.T, trainable=False)

    def scores(history: tf.Tensor) -> tf.Tensor:
        states = tf.cast(model({"history": history}, training=False), tf.float32)
        count = tf.reduce_sum(tf.cast(history > 0, tf.int32), axis=1)
        last = tf.one_hot(count - 1, reader.length, dtype=tf.float32)
        return tf.matmul(tf.reduce_sum(states * last[:, :, None], axis=1), table)

    specification = tf.TensorSpec([None, reader.length], tf.int32, name="history")
    return TensorGraph(
        scores, (specification,), "scores", (table, *(variable.value for variable in model.variables))
    )


def portable_net(
    reader: Reader,
    encoder: HistoryEncoder,
    figures_of: Callable[[ScoreUsers, Histories], Figures],
    *,
    top: int,
    mask_seen: bool,
) -> Portable:
    """Return what leaves with a net that reads histories.

    Args:
        reader: The net as a function.
        encoder: Of its training.
        figures_of: From whatever scores all items for people, and their histories, to figures.
        top: How many items are recommended.
        mask_seen: Whether items of a history are left out.
    """

    def raw(examples: Examples) -> list[list[str]]:
        return [ids_of(text) for text in examples["history"].tolist()]

    def score(inputs: Sequence[Any]) -> np.ndarray:
        histories = encoder.before(inputs)
        return reader(histories)(np.arange(1, len(histories) + 1))

    def figures(by: Score, examples: Examples) -> Figures:
        inputs = raw(examples)

        def scores(people: np.ndarray) -> np.ndarray:
            return np.asarray(by([inputs[person - 1] for person in people.tolist()]))

        return figures_of(scores, encoder.histories(examples))

    followed = reader.followed
    none = np.zeros(0, np.int32), np.zeros(encoder.num_items + 1, np.int32), np.zeros(0, np.float32)
    items, offsets, weights = (
        none if followed is None else (followed.items, followed.offsets, followed.weights)
    )
    return Portable(
        graph=scores_graph(reader),
        loader="apps.recommendation.histories.loader",
        settings={
            "items": encoder.items,
            "titles": encoder.titles,
            "item_counts": encoder.item_counts,
            "length": reader.length,
            "top": top,
            "mask_seen": mask_seen,
            "share": reader.share,
        },
        arrays={"followed": {"items": items, "offsets": offsets, "weights": weights}},
        raw=raw,
        score=score,
        figures=figures,
    )

"""Metrics of rankings over a whole catalogue, one user a row."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from core.metrics.weights import counted


class _RankingMetric(keras.metrics.Metric):
    """Finds the relevant items among the best `k` of each user and averages a value over the users."""

    def __init__(self, k: int, name: str, dtype: str | None) -> None:
        if k < 1:
            raise ValueError(f"k must be at least 1. Received: k={k}.")
        super().__init__(name=name, dtype=dtype)
        self.k = k
        self.total = self.add_variable((), "zeros", dtype="float32", name="total")
        self.users = self.add_variable((), "zeros", dtype="int32", name="users")

    def _value(self, hits: Any, num_relevant: Any) -> Any:
        """Return the value of each user.

        Args:
            hits: Whether the item at each place is relevant, float32, shape `(batch_size, k)`, best first.
            num_relevant: How many relevant items there are, float32, shape `(batch_size,)`, at least 1.
        """
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch of users.

        Args:
            y_true: Which items are relevant, 0 or 1, shape `(batch_size, num_items)`. A user without any is
                left out.
            y_pred: Scores of all items, shape `(batch_size, num_items)`; those that must not be recommended,
                such as what the user has seen, at minus infinity.
            sample_weight: Users with weight 0 are left out, all others count once; shape `(batch_size,)`.
        """
        relevant = ops.cast(ops.convert_to_tensor(y_true) != 0, "float32")
        scores = ops.cast(y_pred, "float32")
        # The first of equal scores wins in top_k: with the irrelevant in front, a constant score finds
        # nothing.
        order = ops.argsort(relevant, axis=-1)
        relevant, scores = (ops.take_along_axis(each, order, axis=-1) for each in (relevant, scores))
        best, places = ops.top_k(scores, min(self.k, scores.shape[-1]))
        hits = ops.take_along_axis(relevant, places, axis=-1) * ops.cast(best > -np.inf, "float32")
        num_relevant = ops.sum(relevant, axis=-1)
        count = counted(sample_weight, ops.shape(scores)[0]) * ops.cast(num_relevant > 0, "int32")
        values = self._value(hits, ops.maximum(num_relevant, 1.0))
        self.total.assign_add(ops.sum(ops.where(count > 0, values, ops.zeros_like(values))))
        self.users.assign_add(ops.sum(count))

    def result(self) -> Any:
        """Return the mean over all users that were counted, a scalar between 0 and 1."""
        return ops.divide_no_nan(self.total, ops.cast(self.users, "float32"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "k": self.k}


@keras.saving.register_keras_serializable(package="quartet")
class HitRate(_RankingMetric):
    """Share of users with a relevant item among their best `k` of the whole catalogue.

    Equal scores count against the model.

    Args:
        k: Length of the list, at least 1.
        name: By default such as `hit_rate@10`.
        dtype: Of the result.

    Example:

    >>> metric = HitRate(k=1)
    >>> metric.update_state([[0, 1, 0], [1, 0, 0]], [[0.1, 0.9, 0.2], [0.1, 0.9, 0.2]])
    >>> float(metric.result())
    0.5
    """

    def __init__(self, k: int = 10, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(k, name or f"hit_rate@{k}", dtype)

    def _value(self, hits: Any, num_relevant: Any) -> Any:
        return ops.max(hits, axis=-1)


@keras.saving.register_keras_serializable(package="quartet")
class RecallAtK(_RankingMetric):
    """Share of a user's relevant items that stand among the best `k` of the whole catalogue.

    Equal scores count against the model. The share is of all relevant items, more than `k` of them too.

    Args:
        k: Length of the list, at least 1.
        name: By default such as `recall@10`.
        dtype: Of the result.

    Example:

    >>> metric = RecallAtK(k=1)
    >>> metric.update_state([[1, 1, 0]], [[0.1, 0.9, 0.2]])
    >>> float(metric.result())
    0.5
    """

    def __init__(self, k: int = 10, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(k, name or f"recall@{k}", dtype)

    def _value(self, hits: Any, num_relevant: Any) -> Any:
        return ops.sum(hits, axis=-1) / num_relevant


@keras.saving.register_keras_serializable(package="quartet")
class MeanReciprocalRank(_RankingMetric):
    """One over the place of the first relevant item, 0 where it is not among the best `k`; mean over users.

    Equal scores count against the model.

    Args:
        k: Length of the list, at least 1; the size of the catalogue for the whole ranking.
        name: By default such as `mrr@10`.
        dtype: Of the result.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).

    Example:

    >>> metric = MeanReciprocalRank(k=3)
    >>> metric.update_state([[0, 0, 1]], [[0.1, 0.9, 0.2]])
    >>> float(metric.result())
    0.5
    """

    def __init__(self, k: int = 10, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(k, name or f"mrr@{k}", dtype)

    def _value(self, hits: Any, num_relevant: Any) -> Any:
        return ops.max(hits / np.arange(1, hits.shape[-1] + 1, dtype=np.float32), axis=-1)


@keras.saving.register_keras_serializable(package="quartet")
class NDCG(_RankingMetric):
    """Normalised discounted cumulative gain of the best `k` of the whole catalogue, with gains of 0 and 1.

    `keras_rs.metrics.NDCG` ranks the items of a given list with exponential gain; this one ranks a catalogue.
    Equal scores count against the model.

    Args:
        k: Length of the list, at least 1.
        name: By default such as `ndcg@10`.
        dtype: Of the result.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques (2002).

    Example:

    >>> metric = NDCG(k=3)
    >>> metric.update_state([[0, 1, 0]], [[0.9, 0.5, 0.1]])
    >>> round(float(metric.result()), 4)
    0.6309
    """

    def __init__(self, k: int = 10, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(k, name or f"ndcg@{k}", dtype)

    def _value(self, hits: Any, num_relevant: Any) -> Any:
        discounts = (1.0 / np.log2(np.arange(2, self.k + 2))).astype(np.float32)
        ideal = ops.take(np.cumsum(discounts), ops.cast(ops.minimum(num_relevant, self.k), "int32") - 1)
        return ops.sum(hits * discounts[: hits.shape[-1]], axis=-1) / ideal

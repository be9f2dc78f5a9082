"""Metrics of rankings over a whole catalogue, one user a row.

Equal scores count against the model: a relevant item stands behind every other item of its score, so a
constant score finds nothing. Nor does a score that is not a number.

Where the catalogue is too large for a row of labels, the best `k` of the other items stand for all of them:
give their scores, labelled 0, beside those of the relevant items, and the figures are the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import keras
import numpy as np
from keras import ops

from core.metrics.accumulators import CompensatedMean, weights_like

GAINS = ("binary", "linear")


class _RankingMetric(keras.metrics.Metric, ABC):
    """Finds the places of the relevant items among the best `k` of each user; averages a value over users."""

    # Whether the best relevant item settles the value; memory then grows with k, otherwise with its square.
    first_alone = False

    def __init__(self, k: int, name: str, dtype: str | None) -> None:
        if k < 1:
            raise ValueError(f"k must be at least 1. Received: k={k}.")
        super().__init__(name=name, dtype=dtype)
        self.k = k
        self.mean = CompensatedMean(dtype="float32")

    @abstractmethod
    def _value(self, relevance: Any, places: Any, y_true: Any) -> Any:
        """Return the value of each user, shape `(batch_size,)`.

        Args:
            relevance: Of the items found among the best `k`, shape `(batch_size, k)`, 0 where there are
                fewer; shape `(batch_size, 1)` where the first alone is asked for.
            places: Theirs, from 1, float32, of the same shape.
            y_true: Of all items, float32, shape `(batch_size, num_items)`.
        """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch of users.

        Args:
            y_true: How relevant each item is, 0 if not, shape `(batch_size, num_items)`. A user without
                relevant items is left out.
            y_pred: Scores of all items, shape `(batch_size, num_items)`; those that must not be recommended,
                such as what the user has seen, at minus infinity.
            sample_weight: Of each user, shape `(batch_size,)`.
        """
        y_true, scores = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        relevant = y_true > 0
        length = min(self.k, scores.shape[-1])
        scores = ops.where(ops.isnan(scores), -np.inf, scores)
        others, _ = ops.top_k(ops.where(relevant, -np.inf, scores), length)
        num_own = 1 if self.first_alone else length
        own, items = ops.top_k(ops.where(relevant, scores, -np.inf), num_own)
        ahead = ops.sum(ops.cast(others[:, None, :] >= own[:, :, None], "float32"), axis=-1)
        places = ahead + np.arange(1, num_own + 1, dtype=np.float32)
        among_best = (own > -np.inf) & (places <= self.k)
        relevance = ops.where(among_best, ops.take_along_axis(y_true, items, axis=-1), 0.0)
        judged = ops.any(relevant, axis=-1)
        weights = weights_like(judged, sample_weight) * ops.cast(judged, "float32")
        self.mean.update_state(self._value(relevance, places, y_true), weights)

    def result(self) -> Any:
        """Return the mean over all users that were counted, a scalar between 0 and 1."""
        return ops.cast(self.mean.result(), self.dtype)

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
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms (2004), section 6.

    Example:

    >>> metric = HitRate(k=1)
    >>> metric.update_state([[0, 1, 0], [1, 0, 0]], [[0.1, 0.9, 0.2], [0.1, 0.9, 0.2]])
    >>> float(metric.result())
    0.5
    """

    first_alone = True

    def __init__(self, k: int = 10, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(k, name or f"hit_rate@{k}", dtype)

    def _value(self, relevance: Any, places: Any, y_true: Any) -> Any:
        return relevance[:, 0] > 0


@keras.saving.register_keras_serializable(package="quartet")
class RecallAtK(_RankingMetric):
    """Share of a user's relevant items that stand among the best `k` of the whole catalogue; mean over users.

    Equal scores count against the model. The share is of all relevant items, more than `k` of them too.

    Args:
        k: Length of the list, at least 1.
        name: By default such as `recall@10`.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Herlocker et al., Evaluating Collaborative Filtering Recommender Systems (2004), section 4.

    Example:

    >>> metric = RecallAtK(k=1)
    >>> metric.update_state([[1, 1, 0]], [[0.1, 0.9, 0.2]])
    >>> float(metric.result())
    0.5
    """

    def __init__(self, k: int = 10, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(k, name or f"recall@{k}", dtype)

    def _value(self, relevance: Any, places: Any, y_true: Any) -> Any:
        num_hits, num_relevant = (
            ops.sum(ops.cast(each > 0, "float32"), axis=-1) for each in (relevance, y_true)
        )
        return ops.divide_no_nan(num_hits, num_relevant)


@keras.saving.register_keras_serializable(package="quartet")
class MeanReciprocalRank(_RankingMetric):
    """One over the place of the first relevant item, 0 where it is not among the best `k`; mean over users.

    Equal scores count against the model.

    Args:
        k: Length of the list, at least 1; the size of the catalogue for the whole ranking.
        name: By default such as `mrr@10`.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Voorhees, The TREC-8 Question Answering Track Report (1999).

    Example:

    >>> metric = MeanReciprocalRank(k=3)
    >>> metric.update_state([[0, 0, 1]], [[0.1, 0.9, 0.2]])
    >>> float(metric.result())
    0.5
    """

    first_alone = True

    def __init__(self, k: int = 10, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(k, name or f"mrr@{k}", dtype)

    def _value(self, relevance: Any, places: Any, y_true: Any) -> Any:
        return ops.cast(relevance[:, 0] > 0, "float32") / places[:, 0]


@keras.saving.register_keras_serializable(package="quartet")
class NDCG(_RankingMetric):
    """Normalised discounted cumulative gain of the best `k` of the whole catalogue; mean over users.

    `keras_rs.metrics.NDCG` ranks the items of a given list, and its gain is `2**relevance - 1`. Equal scores
    count against the model; relevant items of one score are taken in the order of the catalogue.

    Args:
        k: Length of the list, at least 1. Memory grows with its square.
        gain: `binary` (a relevant item gains 1) or `linear` (as much as it is relevant).
        name: By default such as `ndcg@10`.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques (2002).

    Example:

    >>> metric = NDCG(k=3)
    >>> metric.update_state([[0, 1, 0]], [[0.9, 0.5, 0.1]])
    >>> round(float(metric.result()), 4)
    0.6309
    """

    def __init__(
        self, k: int = 10, gain: str = "binary", name: str | None = None, dtype: str | None = None
    ) -> None:
        if gain not in GAINS:
            raise ValueError(f"gain must be one of {', '.join(GAINS)}. Received: gain={gain!r}.")
        super().__init__(k, name or f"ndcg@{k}", dtype)
        self.gain = gain

    def _value(self, relevance: Any, places: Any, y_true: Any) -> Any:
        if self.gain == "binary":
            relevance, y_true = (ops.cast(each > 0, "float32") for each in (relevance, y_true))
        discounts = (1 / np.log2(np.arange(2, relevance.shape[-1] + 2))).astype(np.float32)
        best, _ = ops.top_k(ops.maximum(y_true, 0.0), relevance.shape[-1])
        return ops.divide_no_nan(
            ops.sum(relevance / ops.log2(places + 1), axis=-1), ops.sum(best * discounts, axis=-1)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "gain": self.gain}

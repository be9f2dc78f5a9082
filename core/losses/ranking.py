"""Losses that put the item a user chose above sampled items that he did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from core.losses.contrastive import EXCLUDED, in_batch_crossentropy
from core.losses.labels import LabelLoss, known_labels


@keras.saving.register_keras_serializable(package="quartet")
class BayesianPersonalizedRanking(LabelLoss):
    """Logistic loss of the margin by which the chosen item beats each sampled one (BPR-Opt).

    `mean_j softplus(s_j - s_chosen)` over the sampled items `j`. The regulariser of the paper belongs to the
    embeddings (`embeddings_regularizer` or weight decay).

    `keras_rs.losses.PairwiseLogisticLoss` compares every item of a list with every other. With the labels
    `[1, 0, ..., 0]` it gives `num_negatives / (1 + num_negatives)` of the value here; it needs memory for the
    square of the list, and on TensorFlow its gradient is zero where two scores are equal (keras-rs 0.4.0), so
    that embeddings that start from zero never learn.

    Args:
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: Ids of the items, of shape `(batch, 1 + num_negatives)`, below 2**24. A sampled item with the
            id of the chosen one, or with an id below 0 (padding), is left out. A row whose chosen item is
            padding costs 0 and has no gradient; the mean counts it, unless its sample weight is 0.
        y_pred: Scores of these items, of the same shape; the chosen item is the first column.

    Raises:
        ValueError: The shapes differ, or there are no sampled items.

    Reference:
        Rendle et al., 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback, section 4.1,
        https://arxiv.org/abs/1205.2618

    Example:

    >>> loss = BayesianPersonalizedRanking()
    >>> round(float(loss([[7, 3, 5]], [[1.0, 1.0, 0.0]])), 4)  # (log(2) + log(1 + exp(-1))) / 2
    0.5032
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "bayesian_personalized_ranking",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row, of shape `(batch,)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_candidates(y_true, y_pred)
        counts = ops.cast(ops.logical_not(left_out(y_true)), y_pred.dtype)[:, 1:]
        losses = ops.softplus(y_pred[:, 1:] - y_pred[:, :1]) * counts
        losses = ops.divide_no_nan(ops.sum(losses, axis=-1), ops.sum(counts, axis=-1))
        return ops.where(y_true[:, 0] >= 0, losses, 0.0)


@keras.saving.register_keras_serializable(package="quartet")
class SampledSoftmax(LabelLoss):
    """Cross-entropy of the chosen item among sampled ones, corrected for how often each is sampled.

    With scores `s` and the probabilities `q` with which items are sampled, the loss is that of a softmax over
    `s - log(q)` (the logQ correction), for the chosen item too. Without it the model learns that popular
    items, which are sampled often, are bad.

    The candidates of a row are either its own (a chosen item and its negatives) or, with ids of shape
    `(batch,)`, the chosen items of the whole batch.

    Args:
        sampling_probabilities: One number above 0 per item id, in proportion to how often the item is
            sampled. For negatives from the batch these are the counts of the items among the training
            examples. `None` where all items are equally likely. They are saved with the model.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: Ids of the candidates, below 2**24 and the number of items, of shape `(batch, 1 +
            num_negatives)` with the chosen item in the first column; or those of the chosen items, of shape
            `(batch,)` or `(batch, 1)`. A candidate with the id of the chosen item of its row (an accidental
            hit), or with an id below 0 (padding), is left out. A row whose chosen item is padding costs 0 and
            has no gradient; the mean counts it, unless its sample weight is 0. An id that has no probability
            is refused, or makes the loss NaN within a compiled function, on every backend.
        y_pred: Scores of shape `(batch, 1 + num_negatives)`; or of shape `(batch, batch)`, each row that of
            one user with all chosen items, his own on the diagonal.

    Raises:
        ValueError: The shapes do not fit together, a probability is not finite and above 0, or an id has none
            outside of a compiled function.

    Reference:
        Bengio and Senécal, 2008, Adaptive Importance Sampling to Accelerate Training of a Neural
        Probabilistic Language Model; for negatives from the batch Yi et al., 2019, Sampling-Bias-Corrected
        Neural Modeling for Large Corpus Item Recommendations, equations 3 to 5

    Example:

    >>> loss = SampledSoftmax(sampling_probabilities=[0.5, 0.25, 0.25])
    >>> round(float(loss([[1, 0, 2]], [[0.0, 0.0, 0.0]])), 4)  # -log(4 / (4 + 2 + 4))
    0.9163
    """

    def __init__(
        self,
        sampling_probabilities: Sequence[float] | np.ndarray | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sampled_softmax",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.sampling_probabilities = None
        if sampling_probabilities is not None:
            probabilities = np.asarray(sampling_probabilities, dtype="float64")
            if probabilities.ndim != 1 or not np.all(np.isfinite(probabilities) & (probabilities > 0)):
                raise ValueError(
                    "`sampling_probabilities` must hold one finite number above 0 per item; an item that is "
                    f"never sampled needs a small one. Received: shape={probabilities.shape}, "
                    f"smallest={probabilities.min(initial=np.inf)}"
                )
            self.sampling_probabilities = probabilities

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row, of shape `(batch,)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(y_true.shape) == 1 or y_true.shape[1] == 1:
            ids = ops.reshape(y_true, (-1,))
            self._check_square(y_pred)
            logits = ops.where(ids >= 0, self._correct(ids, y_pred), EXCLUDED)
            # A row of padding has nothing to find; zeros keep its loss finite, and so its gradient zero.
            logits = ops.where(ops.expand_dims(ids >= 0, axis=1), logits, 0.0)
            return ops.where(ids >= 0, in_batch_crossentropy(logits, ids), 0.0)
        check_candidates(y_true, y_pred)
        logits = self._correct(y_true, y_pred)
        losses = ops.logsumexp(ops.where(left_out(y_true), EXCLUDED, logits), axis=-1) - logits[:, 0]
        return ops.where(y_true[:, 0] >= 0, losses, 0.0)

    def _check_square(self, y_pred: Any) -> None:
        sizes = [size for size in y_pred.shape if size is not None]
        if len(y_pred.shape) != 2 or len(set(sizes)) > 1:
            raise ValueError(
                "With one id per row, `y_pred` must hold the scores of every row with every chosen item, of "
                f"shape (batch, batch). Received: y_pred.shape={y_pred.shape}"
            )

    def _correct(self, ids: Any, scores: Any) -> Any:
        if self.sampling_probabilities is None:
            return scores
        log_q = ops.convert_to_tensor(np.log(self.sampling_probabilities), dtype=scores.dtype)
        ids = ops.cast(ops.maximum(ids, 0), "int32")
        known = known_labels(ids, len(self.sampling_probabilities))
        return scores - ops.where(known, ops.take(log_q, ops.where(known, ids, 0)), float("nan"))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        probabilities = self.sampling_probabilities
        return {
            **super().get_config(),
            "sampling_probabilities": None if probabilities is None else probabilities.tolist(),
        }


def check_candidates(y_true: Any, y_pred: Any) -> None:
    """Raise unless ids and scores have the same shape, of a chosen item and at least one sampled one."""
    if len(y_pred.shape) != 2 or y_pred.shape[1] == 1 or tuple(y_true.shape[1:]) != tuple(y_pred.shape[1:]):
        raise ValueError(
            "`y_true` must hold the ids and `y_pred` the scores of a chosen item and of sampled ones, both "
            "of shape (batch, 1 + num_negatives). "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )


def left_out(ids: Any) -> Any:
    """Return which candidates do not count: padding, and hits of the chosen item, but never that itself."""
    hits = ops.logical_or(ops.equal(ids, ids[:, :1]), ids < 0)
    chosen = ops.equal(ops.arange(ops.shape(ids)[1], dtype="int32"), 0)
    return ops.logical_and(hits, ops.logical_not(chosen))

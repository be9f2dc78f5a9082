"""Losses that pull two views of the same thing together and push different things apart.

Both take the pair of embeddings of each example as one prediction of shape `(batch, 2, embedding_dim)`, so
that a model with one output can be compiled with them: `keras.ops.stack([first, second], axis=1)`. The other
examples of the batch are the negatives. On several devices these are the examples of the same device.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.losses.labels import LabelLoss

# Far below any logit, yet finite, so no difference of two of them is NaN.
EXCLUDED = -1e30


def check_temperature(temperature: float) -> None:
    """Raise if a temperature is not above 0."""
    if temperature <= 0:
        raise ValueError(f"`temperature` must be above 0. Received: temperature={temperature}")


def check_pairs(y_pred: Any) -> None:
    """Raise if a prediction is not a batch of pairs of embeddings."""
    if len(y_pred.shape) != 3 or y_pred.shape[1] != 2:
        raise ValueError(
            "`y_pred` must hold the two embeddings of each example, of shape (batch, 2, embedding_dim): "
            f"`keras.ops.stack([first, second], axis=1)`. Received: y_pred.shape={y_pred.shape}"
        )


def unit_length(embeddings: Any) -> Any:
    """Return embeddings scaled to length 1, one of zeros as it is.

    `keras.ops.normalize` has a gradient of NaN there on JAX (keras 3.15.1).
    """
    squared_length = ops.sum(ops.square(embeddings), axis=-1, keepdims=True)
    return embeddings * ops.rsqrt(ops.maximum(squared_length, 1e-12))


def in_batch_crossentropy(logits: Any, ids: Any = None) -> Any:
    """Return the cross-entropy of each row of a square matrix whose right answers lie on its diagonal.

    Args:
        logits: Floats of shape `(batch, batch)`.
        ids: Ids of the columns, of shape `(batch,)`, or `None`. A column with the id of the right answer of a
            row is left out of that row.

    Returns:
        Floats of shape `(batch,)`.
    """
    right = ops.diagonal(logits)
    if ids is not None:
        itself = ops.eye(ops.shape(logits)[0], dtype="bool")
        same = ops.equal(ops.expand_dims(ids, axis=1), ops.expand_dims(ids, axis=0))
        logits = ops.where(ops.logical_and(same, ops.logical_not(itself)), EXCLUDED, logits)
    return ops.logsumexp(logits, axis=-1) - right


@keras.saving.register_keras_serializable(package="quartet")
class InfoNCE(LabelLoss):
    """Cross-entropy of finding the partner of each embedding among all partners in the batch.

    With `s_ij` the similarity of the first embedding of example `i` and the second of example `j`, the loss
    of `i` is `-log(exp(s_ii / temperature) / sum_j exp(s_ij / temperature))`. `symmetric=True` adds the
    search from the second to the first and halves the sum, as in CLIP.

    Args:
        temperature: Above 0; the smaller, the more the hardest negatives weigh. Where the model learns it,
            divide by it there and leave 1 with `normalize=False` here.
        symmetric: Whether both directions are learnt.
        normalize: Whether embeddings are scaled to length 1, which makes the similarity a cosine. Otherwise
            it is the dot product.
        mask_same_id: Whether `y_true` holds ids, and two examples with the same id, such as two buyers of one
            item, are no negatives of each other.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: With `mask_same_id`, ids of shape `(batch,)` or `(batch, 1)`, below 2**24. Without, it is not
            looked at: pass zeros of shape `(batch,)`.
        y_pred: Floats of shape `(batch, 2, embedding_dim)`.

    Raises:
        ValueError: `temperature` is not above 0, or `y_pred` holds no pairs.

    Reference:
        van den Oord et al., 2018, equation 4, https://arxiv.org/abs/1807.03748; symmetric: Radford et al.,
        2021, figure 3, https://arxiv.org/abs/2103.00020

    Example:

    >>> loss = InfoNCE(temperature=1.0, normalize=False)
    >>> pairs = [[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]]
    >>> round(float(loss([0, 0], pairs)), 4)  # log(1 + exp(-1))
    0.3133
    """

    def __init__(
        self,
        temperature: float = 0.1,
        symmetric: bool = False,
        normalize: bool = True,
        mask_same_id: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "info_nce",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)
        check_temperature(temperature)
        self.temperature = temperature
        self.symmetric = symmetric
        self.normalize = normalize
        self.mask_same_id = mask_same_id

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example, of shape `(batch,)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_pairs(y_pred)
        if self.normalize:
            y_pred = unit_length(y_pred)
        logits = ops.matmul(y_pred[:, 0], ops.transpose(y_pred[:, 1])) / self.temperature
        ids = ops.reshape(y_true, (-1,)) if self.mask_same_id else None
        loss = in_batch_crossentropy(logits, ids)
        if self.symmetric:
            loss = (loss + in_batch_crossentropy(ops.transpose(logits), ids)) / 2.0
        return loss

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "symmetric": self.symmetric,
            "normalize": self.normalize,
            "mask_same_id": self.mask_same_id,
        }


@keras.saving.register_keras_serializable(package="quartet")
class NTXent(keras.losses.Loss):
    """Normalised, temperature-scaled cross-entropy of SimCLR over both views of every example.

    Each of the `2 * batch` embeddings searches its partner among all the others, those of its own view
    included; `InfoNCE` searches the other view alone. The similarity is the cosine.

    Args:
        temperature: Above 0; the smaller, the more the hardest negatives weigh.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, whatever that of the model.

    Call arguments:
        y_true: Not looked at: pass zeros of shape `(batch,)`.
        y_pred: Floats of shape `(batch, 2, embedding_dim)`: two augmented views of each example.

    Raises:
        ValueError: `temperature` is not above 0, or `y_pred` holds no pairs.

    Reference:
        Chen et al., 2020, equation 1 and algorithm 1, https://arxiv.org/abs/2002.05709

    Example:

    >>> loss = NTXent(temperature=1.0)
    >>> pairs = [[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]]
    >>> round(float(loss([0, 0], pairs)), 4)  # log(1 + 2 * exp(-1))
    0.5514
    """

    def __init__(
        self,
        temperature: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "nt_xent",
        dtype: str = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_temperature(temperature)
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean loss of the two views of each example, of shape `(batch,)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_pairs(y_pred)
        y_pred = unit_length(y_pred)
        first, second = y_pred[:, 0], y_pred[:, 1]
        others = ops.concatenate([first, second])
        itself = ops.eye(ops.shape(others)[0], dtype="bool")
        logits = ops.matmul(others, ops.transpose(others)) / self.temperature
        all_others = ops.logsumexp(ops.where(itself, EXCLUDED, logits), axis=-1)
        both_views = ops.mean(ops.reshape(all_others, (2, -1)), axis=0)
        return both_views - ops.sum(first * second, axis=-1) / self.temperature

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {**super().get_config(), "dtype": self.dtype, "temperature": self.temperature}

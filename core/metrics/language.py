"""Metrics of language models, accumulated as nats and tokens."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


class _MeanNats(keras.metrics.Metric):
    """Sums the negative log likelihood of the tokens that count, and the units it is shared among."""

    def __init__(self, from_logits: bool, mask_token_id: int | None, name: str, dtype: str | None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.from_logits = from_logits
        self.mask_token_id = mask_token_id
        self.nats = self.add_variable((), "zeros", dtype="float32", name="nats")
        # What a float32 sum loses when small terms meet a large total is carried along (Neumaier, 1974).
        self.carried = self.add_variable((), "zeros", dtype="float32", name="carried")
        self.tokens = self.add_variable((), "zeros", dtype="int32", name="tokens")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Token ids, int, shape `(batch_size, length)`.
            y_pred: Logits or probabilities, shape `(batch_size, length, vocabulary_size)`.
            sample_weight: Tokens with weight 0 are left out; shape `(batch_size, length)` or `(batch_size,)`.
        """
        y_true = ops.cast(y_true, "int32")
        nats = keras.losses.sparse_categorical_crossentropy(
            y_true, ops.cast(y_pred, "float32"), from_logits=self.from_logits
        )
        counted = ops.ones_like(y_true)
        if self.mask_token_id is not None:
            counted = ops.cast(y_true != self.mask_token_id, "int32")
        if sample_weight is not None:
            weight = ops.cast(ops.cast(sample_weight, "float32") != 0, "int32")
            weight = ops.reshape(weight, (*weight.shape, *[1] * (len(y_true.shape) - len(weight.shape))))
            counted = counted * weight
        nats = ops.sum(ops.where(counted > 0, nats, ops.zeros_like(nats)))
        total = self.nats + nats
        lost = ops.where(nats > self.nats, (nats - total) + self.nats, (self.nats - total) + nats)
        self.carried.assign_add(lost)
        self.nats.assign(total)
        self.tokens.assign_add(ops.sum(counted))

    def _per(self, units: Any) -> Any:
        return ops.divide_no_nan(self.nats + self.carried, ops.cast(units, "float32"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "mask_token_id": self.mask_token_id,
        }


@keras.saving.register_keras_serializable(package="quartet")
class Perplexity(_MeanNats):
    """The exponential of the mean negative log likelihood of all tokens.

    `keras_hub.metrics.Perplexity` averages over the examples of a batch first, and counts in float32; here
    every token weighs the same and counts are integers, so that the figure does not depend on the batch size.

    Args:
        from_logits: Whether `y_pred` holds logits; otherwise probabilities.
        mask_token_id: Tokens of this id, such as padding, are left out.
        name: Of the metric.
        dtype: Of the result.

    Example:

    >>> metric = Perplexity()
    >>> metric.update_state([[0, 1]], [[[0.5, 0.5], [0.5, 0.5]]])
    >>> round(float(metric.result()), 4)
    2.0
    """

    def __init__(
        self,
        from_logits: bool = False,
        mask_token_id: int | None = None,
        name: str = "perplexity",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, mask_token_id, name, dtype)

    def result(self) -> Any:
        """Return the perplexity of all that was counted, at least 1."""
        return ops.exp(self._per(self.tokens))


@keras.saving.register_keras_serializable(package="quartet")
class BitsPerCharacter(_MeanNats):
    """The negative log likelihood in bits, shared among the characters of the text.

    Where a token is a character (or a byte, which gives bits per byte) nothing more is needed; otherwise
    `characters_per_token` of the text that is judged turns one into the other, so that models with different
    tokens can be compared.

    Args:
        from_logits: Whether `y_pred` holds logits; otherwise probabilities.
        mask_token_id: Tokens of this id, such as padding, are left out.
        characters_per_token: Of the text that is judged, above 0.
        name: Of the metric.
        dtype: Of the result.

    Source: Graves, Generating Sequences With Recurrent Neural Networks (2013), section 3.

    Example:

    >>> metric = BitsPerCharacter()
    >>> metric.update_state([[0, 1]], [[[0.5, 0.5], [0.5, 0.5]]])
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        from_logits: bool = False,
        mask_token_id: int | None = None,
        characters_per_token: float = 1.0,
        name: str = "bits_per_character",
        dtype: str | None = None,
    ) -> None:
        if characters_per_token <= 0:
            raise ValueError(f"characters_per_token must be above 0. Received: {characters_per_token}.")
        super().__init__(from_logits, mask_token_id, name, dtype)
        self.characters_per_token = characters_per_token

    def result(self) -> Any:
        """Return the bits per character of all that was counted, at least 0."""
        return self._per(self.tokens) / (math.log(2.0) * self.characters_per_token)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "characters_per_token": self.characters_per_token}

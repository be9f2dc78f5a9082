"""Metrics of language models: what every token costs, averaged over all tokens.

`mask_token_id` or `sample_weight` says what is padding. The masks that layers pass on are not read,
since not every backend lets them reach a metric.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from core.metrics.accumulators import CompensatedMean, weights_like


class _LanguageMetric(keras.metrics.Metric):
    """Averages the negative log likelihood of the tokens that count."""

    def __init__(self, from_logits: bool, mask_token_id: int | None, name: str, dtype: str | None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.from_logits = from_logits
        self.mask_token_id = mask_token_id
        self.mean = CompensatedMean(dtype="float32")

    def _tokens(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """Return the ids, nats and weights of all tokens, each of shape `(batch_size, length)`."""
        ids, y_pred = ops.cast(y_true, "int32"), ops.convert_to_tensor(y_pred)
        weights = weights_like(ids, sample_weight)
        if self.mask_token_id is not None:
            weights = ops.where(ids == self.mask_token_id, 0.0, weights)
        # A masked id need not be in the vocabulary; of any other that is not, backends make different things.
        ids = ops.where(weights > 0, ids, 0)
        known = ops.logical_and(ids >= 0, ids < y_pred.shape[-1])
        ids = ops.where(known, ids, 0)
        nats = keras.losses.sparse_categorical_crossentropy(
            ids, ops.cast(y_pred, "float32"), from_logits=self.from_logits
        )
        return ids, ops.where(known, nats, float("nan")), weights

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "mask_token_id": self.mask_token_id,
        }


@keras.saving.register_keras_serializable(package="quartet")
class Perplexity(_LanguageMetric):
    """The exponential of the mean negative log likelihood of all tokens.

    `keras_hub.metrics.Perplexity` gives the same figure while float32 holds its counts, up to 2**24 tokens
    one by one; this one counts on, and needs Keras alone.

    Args:
        from_logits: Whether `y_pred` holds logits; otherwise probabilities.
        mask_token_id: Tokens of this id, such as padding, are left out.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Jelinek et al., Perplexity - a measure of the difficulty of speech recognition tasks (1977).

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

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Token ids, int, shape `(batch_size, length)`. One that counts and is not in the
                vocabulary makes the figure NaN.
            y_pred: Logits or probabilities, shape `(batch_size, length, vocabulary_size)`.
            sample_weight: Shape `(batch_size, length)` or `(batch_size,)`.
        """
        _, nats, weights = self._tokens(y_true, y_pred, sample_weight)
        self.mean.update_state(nats, weights)

    def result(self) -> Any:
        """Return the perplexity of all that was counted, at least 1."""
        return ops.cast(ops.exp(self.mean.result()), self.dtype)


@keras.saving.register_keras_serializable(package="quartet")
class BitsPerCharacter(_LanguageMetric):
    """The negative log likelihood in bits, shared among the characters (or the bytes) of the text.

    Unlike perplexity it compares models with different tokens.

    Args:
        characters: How many characters each token stands for, shape `(vocabulary_size,)`; by default one.
            With the numbers of bytes the figure is bits per byte. Tokens of none, such as the end of a text,
            are left out.
        from_logits: Whether `y_pred` holds logits; otherwise probabilities.
        mask_token_id: Tokens of this id, such as padding, are left out.
        name: Of the metric; with bytes, give `bits_per_byte`.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Graves, Generating Sequences With Recurrent Neural Networks (2013), section 3.

    Example:

    >>> metric = BitsPerCharacter(characters=[1, 3])
    >>> metric.update_state([[0, 1]], [[[0.5, 0.5], [0.5, 0.5]]])
    >>> round(float(metric.result()), 4)
    0.5
    """

    def __init__(
        self,
        characters: Sequence[int] | None = None,
        from_logits: bool = False,
        mask_token_id: int | None = None,
        name: str = "bits_per_character",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, mask_token_id, name, dtype)
        self.characters = None if characters is None else [int(count) for count in characters]
        if self.characters is not None and min(self.characters, default=-1) < 0:
            raise ValueError(
                "characters must hold a number, at least 0, for each token of the vocabulary. "
                f"Received: {self.characters[:10]}."
            )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Token ids, int, shape `(batch_size, length)`. One that counts and is not in the
                vocabulary makes the figure NaN.
            y_pred: Logits or probabilities, shape `(batch_size, length, vocabulary_size)`.
            sample_weight: Shape `(batch_size, length)` or `(batch_size,)`.
        """
        ids, nats, weights = self._tokens(y_true, y_pred, sample_weight)
        if self.characters is not None:
            characters = ops.take(ops.convert_to_tensor(self.characters, "float32"), ids)
            nats, weights = ops.divide_no_nan(nats, characters), weights * characters
        self.mean.update_state(nats / math.log(2.0), weights)

    def result(self) -> Any:
        """Return the bits per character of all that was counted, at least 0."""
        return ops.cast(self.mean.result(), self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "characters": self.characters}

"""Losses for sequences with one class per token."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.losses.classification import log_probabilities
from core.losses.labels import LabelLoss, known_labels


@keras.saving.register_keras_serializable(package="quartet")
class SequenceCrossentropy(LabelLoss):
    """Cross-entropy of every token that is not padding, averaged over all such tokens of the batch.

    A token counts unless its target is `padding_id`, its `sample_weight` is 0, or a Keras mask of `y_pred`
    hides it. By default the sum of the weighted losses is divided by the sum of the weights, so a long
    sequence counts more than a short one and padding counts nothing.
    `keras.losses.SparseCategoricalCrossentropy` with `ignore_class` smooths no labels.

    Args:
        padding_id: The target to leave out, such as 0 or -100, or `None` where masks or weights say all.
        label_smoothing: In [0, 1): the share of each target that is spread evenly over all classes.
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        reduction: As in `keras.losses.Loss`. `"mean_with_sample_weight"` is the mean over tokens, `"sum"`
            their sum, `None` one loss per token, which is 0 for padding.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: Integers of shape `(batch, length)`: the class of each token, in `[0, num_classes)` or
            `padding_id`. Any other label of a token that counts is refused, or makes the loss NaN within a
            compiled function, which can't look at it, on every backend.
        y_pred: Floats of shape `(batch, length, num_classes)`.
        sample_weight: Floats of shape `(batch,)`, `(batch, 1)` or `(batch, length)`, or `None`.

    Raises:
        ValueError: `label_smoothing` is out of range, `y_true` has not one integer per token, or a label is
            out of range outside of a compiled function.

    Reference:
        Vaswani et al., 2017, section 5.4, https://arxiv.org/abs/1706.03762; smoothing: Szegedy et al., 2016,
        section 7, https://arxiv.org/abs/1512.00567

    Example:

    >>> loss = SequenceCrossentropy(padding_id=0, from_logits=True)
    >>> y_true = [[1, 0, 0], [1, 2, 1]]
    >>> round(float(loss(y_true, keras.ops.zeros((2, 3, 4)))), 4)  # log(4), over 4 tokens
    1.3863
    """

    def __init__(
        self,
        padding_id: int | None = 0,
        label_smoothing: float = 0.0,
        from_logits: bool = False,
        reduction: str | None = "mean_with_sample_weight",
        name: str = "sequence_crossentropy",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}"
            )
        self.padding_id = padding_id
        self.label_smoothing = label_smoothing
        self.from_logits = from_logits

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss; padding joins the sample weights, and Keras multiplies in its masks."""
        tokens = ops.convert_to_tensor(y_true)
        weights = self._weights(tokens, sample_weight)
        # What does not count may be out of range.
        for counts in (weights, getattr(y_pred, "_keras_mask", None)):
            if counts is not None:
                tokens = ops.where(ops.cast(counts, "bool"), tokens, ops.zeros_like(tokens))
        return super().__call__(tokens, y_pred, weights)

    def _weights(self, tokens: Any, sample_weight: Any) -> Any:
        """Return the weights of tokens, 0 for padding, or None where all weigh the same."""
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            if len(sample_weight.shape) == 1:
                sample_weight = ops.expand_dims(sample_weight, axis=-1)
        if self.padding_id is None:
            return sample_weight
        counts = ops.cast(ops.not_equal(tokens, self.padding_id), self.dtype)
        return counts if sample_weight is None else counts * sample_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each token, of which `__call__` has made padding class 0: `(batch, length)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(y_true.shape) != len(y_pred.shape) - 1:
            raise ValueError(
                "`y_true` must hold one integer per token, of shape (batch, length) for `y_pred` of shape "
                "(batch, length, num_classes). "
                f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
            )
        tokens = ops.cast(y_true, "int32")
        known = known_labels(tokens, y_pred.shape[-1])
        tokens = ops.where(known, tokens, 0)
        log_p = log_probabilities(y_pred, self.from_logits)
        loss = -ops.squeeze(ops.take_along_axis(log_p, ops.expand_dims(tokens, axis=-1), axis=-1), axis=-1)
        loss = ops.where(known, loss, float("nan"))
        if self.label_smoothing:
            loss = (1.0 - self.label_smoothing) * loss - self.label_smoothing * ops.mean(log_p, axis=-1)
        return loss

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {
            **super().get_config(),
            "padding_id": self.padding_id,
            "label_smoothing": self.label_smoothing,
            "from_logits": self.from_logits,
        }

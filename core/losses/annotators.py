"""A loss for truths that several people told, each in their own way."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.losses.labels import LabelLoss, known_labels


@keras.saving.register_keras_serializable(package="quartet")
class AnnotatorsCrossentropy(LabelLoss):
    """Cross-entropy of logits beside the choices of several annotators, each of which counts alike.

    What most of them chose becomes likeliest, and what some chose stays likely.

    Args:
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: Their choices, integers of shape `(batch, num_annotators)`: classes count from 1, 0 is
            padding. A class that `y_pred` lacks makes the loss of its example NaN.
        y_pred: Logits, floats of shape `(batch, num_classes)`.

    Example:

    >>> loss = AnnotatorsCrossentropy()
    >>> round(float(loss([[1, 2, 0]], [[0.0, 0.0, -1e4]])), 4)
    0.6931
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "annotators_crossentropy",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example, in nats, `(batch,)`."""
        chosen = ops.cast(ops.convert_to_tensor(y_true), "int32")
        known = known_labels(chosen, ops.shape(y_pred)[-1] + 1)
        logs = ops.log_softmax(y_pred, axis=-1)
        of_each = ops.take_along_axis(logs, ops.maximum(ops.where(known, chosen, 0) - 1, 0), axis=-1)
        counts = ops.cast(chosen > 0, logs.dtype)
        loss = -ops.sum(of_each * counts, axis=-1) / ops.maximum(ops.sum(counts, axis=-1), 1.0)
        return ops.where(ops.all(known, axis=-1), loss, float("nan"))

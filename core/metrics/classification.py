"""Metrics of classifiers, accumulated as counts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from core.metrics.accumulators import CompensatedSum, weights_like

AVERAGES = ("macro", "micro", "weighted")


@keras.saving.register_keras_serializable(package="quartet")
class F1Score(keras.metrics.Metric):
    """F1 over the classes of single-label examples, from integer labels.

    The confusion matrix is counted, so the figure is that of the whole set whatever the batch size.
    `keras.metrics.F1Score` takes one-hot labels of two dimensions; this one takes the labels that
    `SparseCategoricalCrossentropy` takes, sequences of them too, and also gives the table of classes.

    Args:
        num_classes: At least 2.
        average: `macro` (every class alike), `micro` (every example alike: for single labels the accuracy) or
            `weighted` (classes by their number of examples). A class without examples and without answers has
            an F1 of 0, as in scikit-learn.
        name: By default such as `macro_f1`.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: van Rijsbergen, Information Retrieval, 2nd edition (1979), chapter 7; averages as in
    scikit-learn's `f1_score`.

    Example:

    >>> metric = F1Score(num_classes=2)
    >>> metric.update_state([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> round(float(metric.result()), 4)
    0.6667
    """

    def __init__(
        self, num_classes: int, average: str = "macro", name: str | None = None, dtype: str | None = None
    ) -> None:
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2. Received: num_classes={num_classes}.")
        if average not in AVERAGES:
            raise ValueError(f"average must be one of {', '.join(AVERAGES)}. Received: average={average!r}.")
        super().__init__(name=name or f"{average}_f1", dtype=dtype)
        self.num_classes = num_classes
        self.average = average
        # True classes by predicted classes, row after row.
        self.confusion = CompensatedSum((num_classes**2,), name="confusion", dtype="float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Class indices of shape `(batch_size, ...)` or `(batch_size, ..., 1)`, or one-hot rows.
                Those outside of the classes, such as -1 for what has no label, are left out.
            y_pred: Logits or probabilities, shape `(batch_size, ..., num_classes)`.
            sample_weight: Of the shape of the class indices, or `(batch_size,)`.

        Raises:
            ValueError: `y_pred` has not a column for each class.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        if y_pred.shape[-1] != self.num_classes:
            raise ValueError(
                f"y_pred must have num_classes={self.num_classes} columns. "
                f"Received: shape {tuple(y_pred.shape)}."
            )
        labels, answers, weights = _judged(y_true, y_pred, sample_weight, self.num_classes)
        counts = ops.segment_sum(
            weights, labels * self.num_classes + answers, num_segments=self.num_classes**2
        )
        self.confusion.update_state(counts)

    def result(self) -> Any:
        """Return the F1 of all that was counted, a scalar between 0 and 1."""
        confusion = ops.reshape(self.confusion.result(), (self.num_classes, self.num_classes))
        hits, support = ops.diagonal(confusion), ops.sum(confusion, axis=1)
        f1 = ops.divide_no_nan(2 * hits, ops.sum(confusion, axis=0) + support)
        if self.average == "macro":
            return ops.cast(ops.mean(f1), self.dtype)
        if self.average == "weighted":
            hits = f1 * support
        return ops.cast(ops.divide_no_nan(ops.sum(hits), ops.sum(support)), self.dtype)

    def per_class(self) -> dict[str, np.ndarray]:
        """Return `precision`, `recall`, `f1` and `support`, the weight of its examples, of each class.

        Returns:
            Four arrays by name, float64, shape `(num_classes,)`.
        """
        parts = (self.confusion.total, self.confusion.remainder)
        confusion = sum(ops.convert_to_numpy(part).astype(np.float64) for part in parts)
        confusion = confusion.reshape(self.num_classes, self.num_classes)
        hits, answers, support = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
        return {
            "precision": hits / np.maximum(answers, np.finfo(float).tiny),
            "recall": hits / np.maximum(support, np.finfo(float).tiny),
            "f1": 2 * hits / np.maximum(answers + support, np.finfo(float).tiny),
            "support": support,
        }

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_classes": self.num_classes, "average": self.average}


@keras.saving.register_keras_serializable(package="quartet")
class ExpectedCalibrationError(keras.metrics.Metric):
    """How far a classifier's confidence is from its accuracy, averaged over bins of confidence.

    `sum_b (n_b / n) * |accuracy_b - confidence_b|`, equation 3 of Guo et al., On Calibration of Modern Neural
    Networks (2017). Bins are of equal width, each with its upper edge; sums are kept for each, so the
    batch size makes no difference.

    Args:
        num_bins: At least 1.
        from_logits: Whether `y_pred` holds logits; otherwise probabilities.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Example:

    >>> metric = ExpectedCalibrationError()
    >>> metric.update_state([1, 1], [[0.2, 0.8], [0.2, 0.8]])
    >>> round(float(metric.result()), 4)
    0.2
    """

    def __init__(
        self,
        num_bins: int = 15,
        from_logits: bool = False,
        name: str = "calibration_error",
        dtype: str | None = None,
    ) -> None:
        if num_bins < 1:
            raise ValueError(f"num_bins must be at least 1. Received: num_bins={num_bins}.")
        super().__init__(name=name, dtype=dtype)
        self.num_bins = num_bins
        self.from_logits = from_logits
        self.weight = CompensatedSum((num_bins,), name="weight", dtype="float32")
        # In each bin, hits less confidence.
        self.gap = CompensatedSum((num_bins,), name="gap", dtype="float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Class indices of shape `(batch_size, ...)` or `(batch_size, ..., 1)`, or one-hot rows.
                Those outside of the classes, such as -1 for what has no label, are left out.
            y_pred: Probabilities or logits, shape `(batch_size, ..., num_classes)`.
            sample_weight: Of the shape of the class indices, or `(batch_size,)`.
        """
        probabilities = ops.cast(y_pred, "float32")
        if self.from_logits:
            probabilities = ops.softmax(probabilities, axis=-1)
        confidence = ops.reshape(ops.max(probabilities, axis=-1), (-1,))
        labels, answers, weights = _judged(y_true, probabilities, sample_weight, probabilities.shape[-1])
        inner_edges = np.linspace(0, 1, self.num_bins + 1, dtype=np.float32)[1:-1]
        place = ops.searchsorted(inner_edges, confidence, side="left")
        # What weighs nothing leaves no trace, even if it is not a number.
        gap = ops.where(weights > 0, ops.cast(answers == labels, "float32") - confidence, 0.0)
        self.weight.update_state(ops.segment_sum(weights, place, num_segments=self.num_bins))
        self.gap.update_state(ops.segment_sum(weights * gap, place, num_segments=self.num_bins))

    def result(self) -> Any:
        """Return the error of all that was counted, a scalar between 0 and 1."""
        gaps, weight = ops.sum(ops.abs(self.gap.result())), ops.sum(self.weight.result())
        return ops.cast(ops.divide_no_nan(gaps, weight), self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_bins": self.num_bins, "from_logits": self.from_logits}


def _judged(y_true: Any, y_pred: Any, sample_weight: Any, num_classes: int) -> tuple[Any, Any, Any]:
    """Return labels and answers, int32, and weights, each of shape `(num_examples,)`."""
    labels, answers = ops.convert_to_tensor(y_true), ops.argmax(y_pred, axis=-1)
    if len(labels.shape) > len(answers.shape):
        labels = labels[..., 0] if labels.shape[-1] == 1 else ops.argmax(labels, axis=-1)
    weights = weights_like(answers, sample_weight)
    labels, answers, weights = (ops.reshape(each, (-1,)) for each in (labels, answers, weights))
    known = (labels >= 0) & (labels < num_classes)
    return (
        ops.cast(ops.where(known, labels, 0), "int32"),
        ops.cast(answers, "int32"),
        weights * ops.cast(known, "float32"),
    )

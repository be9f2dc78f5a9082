"""Metrics of classifiers, accumulated as counts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from core.metrics.weights import counted

AVERAGES = ("macro", "micro", "weighted")


def _classes(y_true: Any, num_classes: int) -> Any:
    """Return class indices, int32, shape `(batch_size,)`, of indices or of one-hot rows."""
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) > 1 and y_true.shape[-1] == num_classes:
        return ops.cast(ops.argmax(y_true, axis=-1), "int32")
    return ops.cast(ops.reshape(y_true, (-1,)), "int32")


@keras.saving.register_keras_serializable(package="quartet")
class F1Score(keras.metrics.Metric):
    """F1 over the classes of single-label examples, from integer labels.

    The confusion matrix is counted, so that the figure is that of the whole set whatever the batch size.
    `keras.metrics.F1Score` takes one-hot labels of two dimensions and thresholds; this one takes the labels
    that `SparseCategoricalCrossentropy` takes, and also gives the table of classes. Counts are int32: exact
    up to two thousand million examples a cell.

    Args:
        num_classes: At least 2.
        average: `macro` (every class alike), `micro` (every example alike: for single labels the accuracy) or
            `weighted` (classes by their number of examples). A class without examples and without answers has
            an F1 of 0, as in scikit-learn.
        name: By default such as `macro_f1`.
        dtype: Of the result.

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
        self.confusion = self.add_variable(
            (num_classes, num_classes), "zeros", dtype="int32", name="confusion"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Class indices of shape `(batch_size,)` or `(batch_size, 1)`, or one-hot rows.
            y_pred: Logits or probabilities, shape `(batch_size, num_classes)`.
            sample_weight: Examples with weight 0 are left out, all others count once.
        """
        true = _classes(y_true, self.num_classes)
        predicted = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        cell = true * self.num_classes + predicted
        counts = ops.segment_sum(
            counted(sample_weight, ops.shape(cell)[0]), cell, num_segments=self.num_classes**2
        )
        self.confusion.assign_add(ops.reshape(ops.cast(counts, "int32"), self.confusion.shape))

    def _by_class(self) -> tuple[Any, Any, Any, Any]:
        confusion = ops.cast(self.confusion, "float32")
        hits, answers, support = (
            ops.diagonal(confusion),
            ops.sum(confusion, axis=0),
            ops.sum(confusion, axis=1),
        )
        precision, recall = ops.divide_no_nan(hits, answers), ops.divide_no_nan(hits, support)
        return precision, recall, ops.divide_no_nan(2 * hits, answers + support), support

    def result(self) -> Any:
        """Return the F1 of all that was counted, a scalar between 0 and 1."""
        _, _, f1, support = self._by_class()
        if self.average == "macro":
            return ops.mean(f1)
        total = ops.sum(support)
        if self.average == "weighted":
            return ops.divide_no_nan(ops.sum(f1 * support), total)
        return ops.divide_no_nan(ops.sum(ops.diagonal(ops.cast(self.confusion, "float32"))), total)

    def per_class(self) -> dict[str, np.ndarray]:
        """Return `precision`, `recall`, `f1` and `support`, each of shape `(num_classes,)`."""
        names = ("precision", "recall", "f1", "support")
        figures = {
            name: ops.convert_to_numpy(value) for name, value in zip(names, self._by_class(), strict=True)
        }
        figures["support"] = figures["support"].astype(np.int64)
        return figures

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_classes": self.num_classes, "average": self.average}


@keras.saving.register_keras_serializable(package="quartet")
class ExpectedCalibrationError(keras.metrics.Metric):
    """How far a classifier's confidence is from its accuracy, averaged over bins of confidence.

    `sum_b (n_b / n) * |accuracy_b - confidence_b|`, equation 3 of Guo et al., On Calibration of Modern Neural
    Networks (2017). Bins are of equal width; sums per bin are kept, so that the batch size makes no
    difference.

    Args:
        num_bins: At least 1.
        from_logits: Whether `y_pred` holds logits; otherwise probabilities.
        name: Of the metric.
        dtype: Of the result.

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
        self.count = self.add_variable((num_bins,), "zeros", dtype="int32", name="count")
        self.hits = self.add_variable((num_bins,), "zeros", dtype="int32", name="hits")
        self.confidence = self.add_variable((num_bins,), "zeros", dtype="float32", name="confidence")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: Class indices of shape `(batch_size,)` or `(batch_size, 1)`, or one-hot rows.
            y_pred: Probabilities or logits, shape `(batch_size, num_classes)`.
            sample_weight: Examples with weight 0 are left out, all others count once.
        """
        y_pred = ops.cast(y_pred, "float32")
        probabilities = ops.softmax(y_pred, axis=-1) if self.from_logits else y_pred
        confidence = ops.max(probabilities, axis=-1)
        true = _classes(y_true, int(y_pred.shape[-1]))
        hit = ops.cast(ops.cast(ops.argmax(probabilities, axis=-1), "int32") == true, "int32")
        place = ops.cast(ops.clip(ops.floor(confidence * self.num_bins), 0, self.num_bins - 1), "int32")
        count = counted(sample_weight, ops.shape(place)[0])
        for variable, value in (
            (self.count, count),
            (self.hits, count * hit),
            (self.confidence, ops.cast(count, "float32") * confidence),
        ):
            sums = ops.segment_sum(value, place, num_segments=self.num_bins)
            variable.assign_add(ops.cast(sums, variable.dtype))

    def result(self) -> Any:
        """Return the error of all that was counted, a scalar between 0 and 1."""
        gap = ops.abs(ops.cast(self.hits, "float32") - self.confidence)
        return ops.divide_no_nan(ops.sum(gap), ops.cast(ops.sum(self.count), "float32"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_bins": self.num_bins, "from_logits": self.from_logits}

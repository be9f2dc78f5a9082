"""Metrics updated batch by batch, outside of a model and within."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import keras
import numpy as np

Updated = TypeVar("Updated", bound=keras.metrics.Metric)

# The last batch is a part of one, and 1000 is more than there is. JAX compiles anew for each.
BATCH_SIZES = (1, 7, 1000) if keras.backend.backend() == "tensorflow" else (7,)


def streamed(
    metric: Updated, y_true: Sequence, y_pred: Sequence, batch_size: int, weights: Any = None
) -> Updated:
    """Return the metric after it has seen all batches, outside of a model."""
    for start in range(0, len(y_true), batch_size):
        rows = slice(start, start + batch_size)
        metric.update_state(y_true[rows], y_pred[rows], None if weights is None else weights[rows])
    return metric


def followed(
    metric: keras.metrics.Metric, y_true: Any, y_pred: np.ndarray, batch_size: int, weights: Any = None
) -> float:
    """Return the figure that a model compiled by XLA gives, its predictions being `y_pred`."""
    inputs = keras.Input(y_pred.shape[1:], dtype="int32" if y_pred.dtype.kind == "i" else "float32")
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile(loss=lambda y_true, y_pred: keras.ops.zeros(1), weighted_metrics=[metric], jit_compile=True)
    figures = model.evaluate(
        y_pred, y_true, sample_weight=weights, batch_size=batch_size, verbose=0, return_dict=True
    )
    return figures[metric.name]


def figure(
    metric: keras.metrics.Metric, y_true: Any, y_pred: np.ndarray, batch_size: int, weights: Any = None
) -> float:
    """Return the figure of all batches; on JAX within a model, as outside it compiles each operation."""
    if keras.backend.backend() == "jax":
        return followed(metric, y_true, y_pred, batch_size, weights)
    return float(streamed(metric, y_true, y_pred, batch_size, weights).result())

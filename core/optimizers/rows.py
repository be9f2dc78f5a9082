"""Gradients of some rows of a table, which TensorFlow alone knows."""

from __future__ import annotations

from typing import Any


def is_rows(gradient: Any) -> bool:
    """Return whether a gradient is of some rows alone."""
    return hasattr(gradient, "indices") and hasattr(gradient, "values")


def rows_like(gradient: Any, values: Any) -> Any:
    """Return other values for the rows of a gradient."""
    import tensorflow as tf

    return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)


def looked_up(variable: Any, gradient: Any) -> Any:
    """Return the rows of a variable that a gradient is of."""
    import tensorflow as tf

    return tf.gather(variable, gradient.indices)


def merged_rows(gradient: Any) -> Any:
    """Return a gradient of some rows with each row once, the sum of all that stand for it."""
    if not is_rows(gradient):
        return gradient
    import tensorflow as tf

    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.shape(rows)[0])
    return tf.IndexedSlices(values, rows, gradient.dense_shape)

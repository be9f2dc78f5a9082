"""Gradients of some rows of a table, on TensorFlow and on JAX."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras


class Rows(NamedTuple):
    """The gradient of some rows of a table on JAX, which knows none of its own; TensorFlow's IndexedSlices.

    Args:
        values: Shape `(num_ids, ...)`.
        indices: Of the rows, int, shape `(num_ids,)`; those at or past the end of the table are padding.
        dense_shape: Of the table.
    """

    values: Any
    indices: Any
    dense_shape: tuple[int, ...]


def check_backend(part: str) -> None:
    """Raise if the backend is neither of the two on which gradients of rows are known.

    Raises:
        ValueError: It is another, such as torch, whose dense tensors look like gradients of rows.
    """
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise ValueError(f"{part} works on TensorFlow and JAX. Received: backend {backend}.")


def is_rows(gradient: Any) -> bool:
    """Return whether a gradient is of some rows alone."""
    return hasattr(gradient, "indices") and hasattr(gradient, "values")


def rows_like(gradient: Any, values: Any) -> Any:
    """Return other values for the rows of a gradient."""
    return type(gradient)(values, gradient.indices, gradient.dense_shape)


def looked_up(variable: Any, gradient: Any) -> Any:
    """Return the rows of a variable that a gradient is of."""
    if isinstance(gradient, Rows):
        return variable.value.at[gradient.indices].get(mode="clip")
    import tensorflow as tf

    return tf.gather(native(variable), gradient.indices)


def set_rows(variable: Any, gradient: Any, values: Any) -> Any:
    """Replace the rows of a variable that a merged gradient is of, and return them."""
    if isinstance(gradient, Rows):
        rows = variable.value.at[gradient.indices]
        variable.assign(rows.set(values, mode="drop", indices_are_sorted=True, unique_indices=True))
        # Were `values` used twice, XLA would keep what they are computed from, at several times the cost.
        return looked_up(variable, gradient)
    native(variable).scatter_update(rows_like(gradient, values))
    return values


def subtract_rows(variable: Any, gradient: Any, change: Any) -> None:
    """Subtract from the rows of a variable that a merged gradient is of."""
    if isinstance(gradient, Rows):
        rows = variable.value.at[gradient.indices]
        variable.assign(rows.add(-change, mode="drop", indices_are_sorted=True, unique_indices=True))
    else:  # whose scatter_sub takes longer than to look the rows up and to write the difference
        set_rows(variable, gradient, looked_up(variable, gradient) - change)


def native(variable: Any) -> Any:
    """Return TensorFlow's variable of one of Keras."""
    # A plain read of what rows are written to would copy all of it; the resource itself may be looked up.
    return variable.value if isinstance(variable, keras.Variable) else variable


def merged_rows(gradient: Any) -> Any:
    """Return a gradient of some rows with each row once, the sum of all that stand for it."""
    if not is_rows(gradient):
        return gradient
    if isinstance(gradient, Rows):
        return _merged_on_jax(gradient)
    import tensorflow as tf

    # In the order of the table, whose memory is then walked through and not jumped about in.
    order = tf.argsort(gradient.indices)
    rows, place = tf.unique(tf.gather(gradient.indices, order))
    values = tf.math.segment_sum(tf.gather(gradient.values, order), place)
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _merged_on_jax(gradient: Rows) -> Rows:
    import jax

    num_rows = gradient.dense_shape[0]
    # Shapes must be known: the places that duplicates leave free stand past the end of the table.
    size = min(len(gradient.indices), num_rows)
    rows, place = jax.numpy.unique(gradient.indices, size=size, fill_value=num_rows, return_inverse=True)
    values = jax.ops.segment_sum(gradient.values, place, num_segments=size)
    return Rows(values, rows, gradient.dense_shape)

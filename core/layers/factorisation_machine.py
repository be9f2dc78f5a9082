"""What pairs of fields add to a score, each pair by the product of its vectors."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class FactorisationMachine(keras.layers.Layer):
    """Adds up the inner products of all pairs of vectors, in time that grows with their number alone.

    Input shape:
        `(batch_size, num_fields, dim)`.

    Output shape:
        `(batch_size, 1)`.

    Reference:
        Rendle, Factorization Machines (2010), lemma 3.1

    Example:

    >>> pairs = FactorisationMachine()(ops.array([[[1.0, 2.0], [3.0, 4.0]]]))
    >>> ops.convert_to_numpy(pairs).tolist()
    [[11.0]]
    """

    def call(self, vectors: Any) -> Any:
        """Return half of what the square of the sum is above the sum of the squares."""
        whole = ops.square(ops.sum(vectors, axis=1)) - ops.sum(ops.square(vectors), axis=1)
        return 0.5 * ops.sum(whole, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Return one number a row."""
        return (input_shape[0], 1)

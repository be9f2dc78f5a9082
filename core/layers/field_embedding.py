"""Vectors of the fields of a row: one table for all of them, fields of several values pooled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from core.layers.lookups import take_rows


@keras.saving.register_keras_serializable(package="quartet")
class FieldEmbedding(keras.layers.Layer):
    """Looks up a vector for each field of a row; a field of several values gets the mean of theirs.

    All fields share one table, in which the ids of each have a range of their own, so a row costs one
    look-up. Id 0 is padding: it stands in the slots that a field of several values leaves empty.

    Args:
        slots: How many ids each field has in a row, shape `(num_fields,)`, each at least 1.
        input_dim: Number of ids, those of all fields and the padding.
        output_dim: Length of a vector.
        embeddings_initializer: Of the table.

    Input shape:
        Ids, int, `(batch_size, sum(slots))`, the slots of the first field first.

    Output shape:
        `(batch_size, num_fields, output_dim)`.

    Example:

    >>> layer = FieldEmbedding([1, 2], input_dim=5, output_dim=3, embeddings_initializer="ones")
    >>> layer(ops.array([[1, 3, 0]])).shape == (1, 2, 3)
    True
    """

    def __init__(
        self,
        slots: Sequence[int],
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not slots or min(slots) < 1:
            raise ValueError(f"slots must be at least one, each at least 1. Received: {slots}.")
        self.slots = tuple(slots)
        self.input_dim, self.output_dim = input_dim, output_dim
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, input_shape: Any) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            name="embeddings",
            autocast=False,
        )

    def call(self, ids: Any) -> Any:
        """Look up the vectors of the ids, and pool those of a field."""
        vectors = ops.cast(take_rows(self.embeddings, ids), self.compute_dtype)
        if max(self.slots) == 1:
            return vectors
        present = ops.cast(ops.not_equal(ids, 0), self.compute_dtype)[..., None]
        fields, first = [], 0
        for slots in self.slots:
            own = slice(first, first + slots)
            if slots == 1:
                fields.append(vectors[:, own])
            else:
                total = ops.sum(vectors[:, own] * present[:, own], axis=1, keepdims=True)
                count = ops.sum(present[:, own], axis=1, keepdims=True)
                fields.append(total / ops.maximum(count, 1))
            first += slots
        return ops.concatenate(fields, axis=1)

    def compute_output_spec(self, ids: Any) -> keras.KerasTensor:
        """Return the shape and the type of the vectors."""
        return keras.KerasTensor((ids.shape[0], len(self.slots), self.output_dim), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "slots": self.slots,
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
        }

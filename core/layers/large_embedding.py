"""Tables whose rows are looked up without a look at the rest."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.layers.lookups import take_rows


@keras.saving.register_keras_serializable(package="quartet")
class LargeEmbedding(keras.layers.Layer):
    """An embedding whose step does not grow with its table, with an optimizer of `core.optimizers`.

    On JAX in a `LookupModel`, on TensorFlow in any model. Values are those of `keras.layers.Embedding`.

    Args:
        input_dim: Number of ids.
        output_dim: Length of a vector.
        embeddings_initializer: Of the vectors.
        embeddings_regularizer: Of the vectors; it reads the whole table, which undoes the gain.
        embeddings_constraint: Of the vectors; likewise.
        mask_zero: Whether id 0 is padding, which layers after this one mask.

    Input shape:
        Ids, int or whole floats, of any shape, each below `input_dim`.

    Output shape:
        That of the input, and `output_dim` behind, in the compute dtype of the layer.

    Example:

    >>> layer = LargeEmbedding(1000, 4)
    >>> layer(ops.array([[1, 2, 3]])).shape == (1, 3, 4)
    True
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_dim, self.output_dim = input_dim, output_dim
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.embeddings_regularizer = keras.regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = keras.constraints.get(embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False  # half precision would round ids that are floats

    def build(self, input_shape: Any) -> None:
        """Make the table."""
        self.embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
            autocast=False,
        )

    def call(self, ids: Any) -> Any:
        """Look up the vectors of the ids."""
        return ops.cast(take_rows(self.embeddings, ids), self.compute_dtype)

    def compute_mask(self, ids: Any, mask: Any = None) -> Any:
        """Return which ids are not padding, or None."""
        return ops.not_equal(ids, 0) if self.mask_zero else None

    def compute_output_spec(self, ids: Any) -> keras.KerasTensor:
        """Return the shape and the type of the vectors."""
        return keras.KerasTensor((*ids.shape, self.output_dim), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": keras.regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": keras.constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }

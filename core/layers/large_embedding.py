"""Tables whose rows are looked up without a look at the rest."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.layers.lookups import take_rows


@keras.saving.register_keras_serializable(package="quartet")
class LargeEmbedding(keras.layers.Layer):
    """An embedding whose step does not grow with its table, with an optimizer of `core.optimizers`.

    On JAX in a `LookupModel`, on TensorFlow in any model.

    Args:
        input_dim: Number of ids.
        output_dim: Length of a vector.
        embeddings_initializer: Of the vectors.

    Input shape:
        Ids, int, of any shape, each below `input_dim`.

    Output shape:
        That of the input, and `output_dim` behind.

    Example:

    >>> layer = LargeEmbedding(1000, 4)
    >>> layer(ops.array([[1, 2, 3]])).shape == (1, 3, 4)
    True
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
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
        """Look up the vectors of the ids."""
        return ops.cast(take_rows(self.embeddings, ids), self.compute_dtype)

    def compute_output_spec(self, ids: Any) -> keras.KerasTensor:
        """Return the shape and the type of the vectors."""
        return keras.KerasTensor((*ids.shape, self.output_dim), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        initializer = keras.initializers.serialize(self.embeddings_initializer)
        config = {"input_dim": self.input_dim, "output_dim": self.output_dim}
        return {**super().get_config(), **config, "embeddings_initializer": initializer}

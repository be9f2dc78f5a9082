"""The layers of a social recommender: what a person's items, and those whom they trust, say of them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from apps.recommendation.factors.layers import Factors, PooledItems
from core.layers import take_rows


@keras.saving.register_keras_serializable(package="quartet")
class PeopleFactors(Factors):
    """The factors of people and of those whom they trust, out of the same table.

    The penalty counts the people alone, as often as they rate, and not how often they are trusted.

    Call arguments:
        ids: People, int32, shape `(batch,)`.
        others: Whom they trust, int32, shape `(batch, length)`, 0 for padding.

    Returns:
        The vectors, shape `(batch, dim)`, and the biases, shape `(batch, 1)`, of the people; and both side by
        side of the others, shape `(batch, length, dim + 1)`.
    """

    def build(self, ids_shape: Any, others_shape: Any) -> None:  # type: ignore[override]
        """Make the tables."""
        super().build(ids_shape)

    def call(  # type: ignore[override]
        self, ids: Any, others: Any, training: bool | None = None
    ) -> tuple[Any, Any, Any]:
        """Look up the rows of the people and of the others."""
        vectors, bias = super().call(ids, training=training)
        trusted = ops.concatenate([take_rows(table, others) for table in (self.vectors, self.bias)], axis=-1)
        return vectors, bias, ops.cast(trusted, self.compute_dtype)

    def compute_output_shape(  # type: ignore[override]
        self, ids_shape: Any, others_shape: Any
    ) -> tuple[Any, Any, Any]:
        """Return the shapes of the vectors, the biases, and those of the others."""
        return (*super().compute_output_shape(ids_shape), (*others_shape, self.dim + 1))


@keras.saving.register_keras_serializable(package="quartet")
class ImplicitFactors(PooledItems):
    """Sums the implicit factors of a person's items as `PooledItems` does, with a penalty on the sum.

    Args:
        penalty: On the squared length of the sum, at least 0.

    Call arguments:
        items: int32, shape `(batch, length)`, 0 for padding.

    Returns:
        float, shape `(batch, dim)`; zero where there are no items.

    Reference:
        Koren, 2008, Factorization Meets the Neighborhood, section 4
    """

    def __init__(
        self, num_items: int, dim: int, dropout: float = 0.5, penalty: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(num_items, dim, dropout, **kwargs)
        self.penalty = penalty

    def call(self, items: Any, training: bool | None = None) -> Any:
        """Sum the vectors of the items of each row."""
        total = super().call(items, training=training)
        if training and self.penalty:
            self.add_loss(self.penalty * ops.mean(ops.sum(ops.cast(total, "float32") ** 2, axis=-1)))
        return total

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this layer again."""
        return {**super().get_config(), "penalty": self.penalty}


@keras.saving.register_keras_serializable(package="quartet")
class TrustedMean(keras.layers.Layer):
    """The mean of the factors of those whom a person trusts, drawn to 0 as by one who says nothing.

    How far each dimension follows is learnt. While training, some links are left out at random.

    Args:
        dropout: Share of the links left out while training.
        penalty: On the squared length of the mean, at least 0.

    Call arguments:
        vectors: Of those who are trusted, shape `(batch, length, dim)`.
        people: Their numbers, int32, shape `(batch, length)`, 0 for padding.

    Returns:
        float, shape `(batch, dim)`; zero where nobody is trusted.

    Reference:
        Guo, Zhang and Yorke-Smith, 2015, TrustSVD: Collaborative Filtering with Both the Explicit and
        Implicit Influence of User Trust and of Item Ratings
    """

    def __init__(self, dropout: float = 0.0, penalty: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropout, self.penalty = dropout, penalty
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, vectors_shape: Any, people_shape: Any) -> None:
        """Make the weights of the dimensions."""
        self.strength = self.add_weight(
            shape=(vectors_shape[-1],), initializer=keras.initializers.Constant(0.1), name="strength"
        )

    def call(self, vectors: Any, people: Any, training: bool | None = None) -> Any:
        """Return the mean of each row."""

        kept = ops.cast(people > 0, self.compute_dtype)
        if training and self.dropout:
            kept = keras.random.dropout(kept, self.dropout, seed=self.seed_generator)
        total = ops.matmul(kept[:, None, :], vectors)[:, 0]
        mean = self.strength * total / (ops.sum(kept, axis=1, keepdims=True) + 1.0)
        if training and self.penalty:
            self.add_loss(self.penalty * ops.mean(ops.sum(ops.cast(mean, "float32") ** 2, axis=-1)))
        return mean

    def compute_output_shape(self, vectors_shape: Any, people_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the means."""
        return (vectors_shape[0], vectors_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this layer again."""
        return {**super().get_config(), "dropout": self.dropout, "penalty": self.penalty}

"""The layers of a recommender: a vector and a bias for every id, and what each user has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from apps.recommendation.catalogue.interactions import as_matrix
from core.data.examples import Ragged
from core.layers import take_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@keras.saving.register_keras_serializable(package="quartet")
class ZeroUnknown(keras.initializers.RandomNormal):
    """Normal values, but zeros in row 0, which is that of the unknown id and gets no gradient."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return the initial table of shape `(num_ids, dim)`."""
        values = super().__call__(shape, dtype=dtype)
        return ops.concatenate([ops.zeros_like(values[:1]), values[1:]], axis=0)


@keras.saving.register_keras_serializable(package="quartet")
class Factors(keras.layers.Layer):
    """A vector and a bias for every id, with a penalty that depends on how many ratings the id has.

    While training, the layer adds the penalty of the looked-up rows, scaled such that over an epoch it sums
    to `count^exponent * (penalty |vector|^2 + bias_penalty bias^2)` a row: with the squared error it is the
    objective of `ExplicitLeastSquares` divided by the number of ratings.

    Args:
        num_ids: Number of ids, the unknown one (0) included.
        dim: Length of a vector.
        penalty: On the vectors, at least 0.
        bias_penalty: On the biases, at least 0.
        exponent: How the penalty grows with the number of ratings, 0 to 1.
        stddev: Of the initial vectors.

    Call arguments:
        ids: int32, shape `(batch,)`.

    Returns:
        The vectors, shape `(batch, dim)`, and the biases, shape `(batch, 1)`.
    """

    def __init__(
        self,
        num_ids: int,
        dim: int,
        penalty: float = 0.0,
        bias_penalty: float = 0.0,
        exponent: float = 1.0,
        stddev: float = 0.1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_ids, self.dim = num_ids, dim
        self.penalty, self.bias_penalty, self.exponent, self.stddev = penalty, bias_penalty, exponent, stddev

    def build(self, input_shape: Any) -> None:
        """Make the tables of vectors and of biases, and the number of ratings of each id, 1 until set."""
        self.vectors = self.add_weight(
            shape=(self.num_ids, self.dim),
            initializer=ZeroUnknown(stddev=self.stddev),
            name="vectors",
            autocast=False,
        )
        self.bias = self.add_weight(shape=(self.num_ids, 1), initializer="zeros", name="bias", autocast=False)
        self.counts = self.add_weight(
            shape=(self.num_ids, 1), initializer="ones", trainable=False, name="counts", autocast=False
        )

    def set_counts(self, counts: Sequence[int]) -> None:
        """Set how many ratings each known id has, shape `(num_ids - 1,)`."""
        self.counts.assign(np.array([1, *counts], np.float32)[:, None])

    def call(self, ids: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Look up the rows of the ids."""
        vectors, bias = (take_rows(table, ids) for table in (self.vectors, self.bias))
        if training and (self.penalty or self.bias_penalty):
            share = ops.take(self.counts, ids, axis=0) ** (self.exponent - 1.0)
            squares = self.penalty * ops.sum(vectors**2, axis=-1, keepdims=True) + self.bias_penalty * bias**2
            # In the precision of the tables, whatever that of the steps: Keras adds it to a loss in float32.
            self.add_loss(ops.mean(share * squares))
        return ops.cast(vectors, self.compute_dtype), ops.cast(bias, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        """Return the shapes of the vectors and the biases."""
        return (*input_shape, self.dim), (*input_shape, 1)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this layer again."""
        names = ("num_ids", "dim", "penalty", "bias_penalty", "exponent", "stddev")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="quartet")
class SeenItems(keras.layers.Layer):
    """Keeps with the model which items each user has seen, in rows of different length.

    Args:
        num_users: Number of users, the unknown one (0) included, who has seen nothing.
        num_ratings: Of all users together.
        length: How many of a user's latest items the layer returns, at least 0.

    Call arguments:
        ids: Users, int32, shape `(batch,)`.

    Returns:
        The ids as they came; and the latest items of each user, int32, shape `(batch, length)`, 0 where
        there are fewer.
    """

    def __init__(self, num_users: int, num_ratings: int, length: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_users, self.num_ratings, self.length = num_users, num_ratings, length

    def build(self, input_shape: Any) -> None:
        """Make the rows, all empty until `remember`."""
        self.items = self.add_weight(
            shape=(self.num_ratings,), dtype="int32", initializer="zeros", trainable=False, name="items"
        )
        self.offsets = self.add_weight(
            shape=(self.num_users + 1,), dtype="int32", initializer="zeros", trainable=False, name="offsets"
        )

    def remember(self, seen: Ragged) -> None:
        """Keep the items of each user, earliest first; row 0, of the unknown user, must be empty."""
        self.items.assign(seen.values.astype(np.int32))
        self.offsets.assign(seen.offsets.astype(np.int32))

    def recall(self) -> Ragged:
        """Return the items of each user, earliest first."""
        return Ragged(ops.convert_to_numpy(self.items), ops.convert_to_numpy(self.offsets))

    def matrix(self, num_items: int) -> csr_array:
        """Return the same as a sparse matrix of users by items, float32."""
        return as_matrix(self.recall(), num_items)

    def call(self, ids: Any) -> tuple[Any, Any]:
        """Pass on the ids, with the latest items of each user."""
        first, end = ops.take(self.offsets, ids)[:, None], ops.take(self.offsets, ids + 1)[:, None]
        places = end - self.length + ops.arange(self.length, dtype="int32")
        items = ops.take(self.items, ops.maximum(places, 0))
        return ids, ops.where(places >= first, items, 0)

    def compute_output_spec(self, ids: Any) -> tuple[Any, Any]:
        """Return the shapes of the ids and of the items, and that both are whole numbers."""
        items = keras.KerasTensor((*ids.shape, self.length), "int32")
        return keras.KerasTensor(ids.shape, "int32"), items

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this layer again."""
        names = ("num_users", "num_ratings", "length")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="quartet")
class PooledItems(keras.layers.Layer):
    """Sums the vectors of a user's items, divided by the root of their number; in training, of a random part.

    An item that is to be predicted also stands among those that are summed. Leaving many of them out, at
    random, keeps the net from reading it off (denoising, as in Liang et al., 2018, Variational Autoencoders
    for Collaborative Filtering, section 2.3, https://arxiv.org/abs/1802.05814).

    Args:
        num_items: Number of items, padding (0) included.
        dim: Length of a vector.
        dropout: Share of the items left out while training.

    Call arguments:
        items: int32, shape `(batch, length)`, 0 for padding.

    Returns:
        float, shape `(batch, dim)`; zero where there are no items.
    """

    def __init__(self, num_items: int, dim: int, dropout: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_items, self.dim, self.dropout = num_items, dim, dropout
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: Any) -> None:
        """Make the table of vectors."""
        self.vectors = self.add_weight(
            shape=(self.num_items, self.dim),
            initializer=ZeroUnknown(stddev=0.05),
            name="vectors",
            autocast=False,
        )

    def call(self, items: Any, training: bool | None = None) -> Any:
        """Sum the vectors of the items of each row."""
        kept = ops.cast(items > 0, self.compute_dtype)
        if training and self.dropout:
            kept = keras.random.dropout(kept, self.dropout, seed=self.seed_generator)
        vectors = ops.cast(take_rows(self.vectors, items), self.compute_dtype)
        total = ops.matmul(kept[:, None, :], vectors)[:, 0]
        return total / ops.sqrt(ops.sum(kept, axis=1, keepdims=True) + 1.0)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the sums."""
        return (input_shape[0], self.dim)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this layer again."""
        names = ("num_items", "dim", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

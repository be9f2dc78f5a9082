"""The layers of a linear recommender: what a user has chosen as a row, and how items speak for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@keras.saving.register_keras_serializable(package="quartet")
class ChosenItems(keras.layers.Layer):
    """Turns lists of items into rows over the whole catalogue that hold 1 for each item of the list.

    Args:
        num_items: Number of items, padding (0) included, for which a row holds 0.

    Call arguments:
        items: int32, shape `(batch, length)`, 0 for padding.

    Returns:
        float, shape `(batch, num_items)`.

    Example:

    >>> ops.convert_to_numpy(ChosenItems(4)(np.array([[3, 1, 0]], np.int32))).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """

    def __init__(self, num_items: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_items = num_items

    def call(self, items: Any) -> Any:
        """Mark the items of each row."""
        chosen = ops.cast(items > 0, self.compute_dtype)
        return ops.minimum(spread(items, chosen, self.num_items), 1.0)  # an item may stand there twice

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the rows."""
        return (input_shape[0], self.num_items)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this layer again."""
        return {**super().get_config(), "num_items": self.num_items}


@keras.saving.register_keras_serializable(package="quartet")
class ItemToItem(keras.layers.Layer):
    """Keeps for each item how much every other one, once chosen, speaks for it.

    Where fewer than all others are kept, a row has the numbers of those that are beside their weights.

    Args:
        num_items: Number of items, the unknown one (0) included, of which nothing is known.
        num_kept: How many others are kept for an item: 1 to `num_items`, at which no numbers are needed.

    Call arguments:
        ids: Items, int32, shape `(batch,)`.

    Returns:
        The weights of all items for each of them, float, shape `(batch, num_items)`.
    """

    def __init__(self, num_items: int, num_kept: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 1 <= num_kept <= num_items:
            raise ValueError(f"num_kept goes from 1 to num_items, {num_items}. Received: {num_kept}.")
        self.num_items, self.num_kept = num_items, num_kept

    @property
    def dense(self) -> bool:
        """Whether the weights of all others are kept."""
        return self.num_kept == self.num_items

    def build(self, input_shape: Any) -> None:
        """Make the table, all zeros until `remember`."""
        shape = (self.num_items, self.num_kept)
        self.weight = self.add_weight(shape=shape, initializer="zeros", name="weight", autocast=False)
        self.others = (
            None
            if self.dense
            else self.add_weight(
                shape=shape, dtype="int32", initializer="zeros", trainable=False, name="others"
            )
        )

    def remember(self, rows: csr_array) -> None:
        """Keep the weights of all items for each item, sparse, shape `(num_items, num_items)`.

        Raises:
            ValueError: An item has more weights than are kept.
        """
        if self.others is None:
            self.weight.assign(rows.toarray())
            return
        lengths = np.diff(rows.indptr)
        if lengths.max(initial=0) > self.num_kept:
            raise ValueError(f"{self.num_kept} weights an item are kept. Received: {lengths.max()}.")
        filled = np.arange(self.num_kept) < lengths[:, None]
        weight, others = np.zeros(filled.shape, np.float32), np.zeros(filled.shape, np.int32)
        weight[filled], others[filled] = rows.data, rows.indices
        self.weight.assign(weight)
        self.others.assign(others)

    def recall(self) -> csr_array:
        """Return the same: the weights of all items for each item, sparse, float32."""
        from scipy.sparse import csr_array

        weight = np.asarray(ops.convert_to_numpy(self.weight), np.float32)
        if self.others is None:
            return csr_array(weight)
        places = np.nonzero(weight)
        others = ops.convert_to_numpy(self.others)[places]
        return csr_array((weight[places], (places[0], others)), shape=(self.num_items, self.num_items))

    def call(self, ids: Any) -> Any:
        """Look up the rows of the ids."""
        weight = ops.cast(ops.take(self.weight, ids, axis=0), self.compute_dtype)
        if self.others is None:
            return weight
        return spread(ops.take(self.others, ids, axis=0), weight, self.num_items)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Return the shape of the weights."""
        return (*input_shape, self.num_items)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this layer again."""
        return {**super().get_config(), "num_items": self.num_items, "num_kept": self.num_kept}


def spread(items: Any, values: Any, num_items: int) -> Any:
    """Return rows over all items, shape `(batch, num_items)`, to which values are added at their items.

    Args:
        items: int32, shape `(batch, length)`.
        values: float, of the same shape.
        num_items: Length of a row.
    """
    rows = ops.broadcast_to(ops.arange(ops.shape(items)[0], dtype="int32")[:, None], ops.shape(items))
    places = ops.stack([ops.reshape(rows, (-1,)), ops.reshape(items, (-1,))], axis=-1)
    return ops.scatter(places, ops.reshape(values, (-1,)), (ops.shape(items)[0], num_items))

"""Trees of decisions that were grown elsewhere, as a layer: what they say travels with a Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class TreeEnsemble(keras.layers.Layer):
    """Adds up what binary trees say of a row; nothing of it is learnt by gradient.

    A node of number `n` asks whether a feature is at most a threshold and goes to its left node, or else to
    its right one; what is missing, nan, goes where the node says. A leaf leads to itself. Fresh trees say 0.

    Args:
        num_trees: How many.
        num_nodes: Of a tree, at most; the root is the first.
        depth: Decisions from the root to a leaf, at most.

    Input shape:
        `(batch_size, num_features)`.

    Output shape:
        `(batch_size, 1)`.

    Example:

    >>> trees = TreeEnsemble(num_trees=1, num_nodes=3, depth=1)
    >>> trees.build((None, 1))
    >>> stump = {"threshold": [0.5, 0, 0], "left": [1, 1, 2], "right": [2, 1, 2], "value": [0, -1.0, 1.0]}
    >>> trees.set_trees(0, [stump])
    >>> ops.convert_to_numpy(trees(ops.array([[0.2], [0.7]]))).tolist()
    [[-1.0], [1.0]]
    """

    def __init__(self, num_trees: int, num_nodes: int, depth: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_trees, self.num_nodes, self.depth = num_trees, num_nodes, depth
        self.autocast = False  # half precision would move thresholds

    def build(self, input_shape: Any) -> None:
        """Make room for the trees."""
        shape = (self.num_trees, self.num_nodes)
        dtypes = {"feature": "int32", "left": "int32", "right": "int32", "missing_left": "int32"}
        self._nodes = {
            name: self.add_weight(
                shape=shape,
                initializer="zeros",
                dtype=dtypes.get(name, "float32"),
                trainable=False,
                autocast=False,
                name=name,
            )
            for name in ("feature", "threshold", "missing_left", "left", "right", "value")
        }
        self.start = self.add_weight(
            shape=(1,), initializer="zeros", trainable=False, autocast=False, name="start"
        )

    def set_trees(self, first: int, trees: list[Mapping[str, Any]], start: float | None = None) -> None:
        """Put trees in the places of others.

        Args:
            first: The place of the first of them, from 0.
            trees: For each the arrays `threshold`, `left`, `right`, `value`, and where they are not all 0
                `feature` and `missing_left`, a number a node.
            start: What is said before any tree.
        """
        for name, variable in self._nodes.items():
            values = np.array(ops.convert_to_numpy(variable))
            for place, tree in enumerate(trees, start=first):
                nodes = np.asarray(tree.get(name, np.zeros(len(tree["value"]))))
                values[place] = 0
                values[place, : len(nodes)] = nodes
            variable.assign(values)
        if start is not None:
            self.start.assign([start])

    def call(self, rows: Any) -> Any:
        """Walk down all trees at once."""
        rows = ops.cast(rows, "float32")
        missing = ops.isnan(rows)
        known = ops.where(missing, ops.zeros_like(rows), rows)
        offsets = ops.arange(self.num_trees, dtype="int32") * self.num_nodes
        flat = {name: ops.reshape(variable, (-1,)) for name, variable in self._nodes.items()}
        node = ops.zeros_like(rows[:, :1], dtype="int32") + offsets
        for _ in range(self.depth):
            feature = ops.take(flat["feature"], node)
            value = ops.take_along_axis(known, feature, axis=1)
            is_missing = ops.take_along_axis(ops.cast(missing, "int32"), feature, axis=1)
            at_most = ops.cast(value <= ops.take(flat["threshold"], node), "int32")
            left = is_missing * ops.take(flat["missing_left"], node) + (1 - is_missing) * at_most
            below = left * ops.take(flat["left"], node) + (1 - left) * ops.take(flat["right"], node)
            node = below + offsets
        total = ops.sum(ops.take(flat["value"], node), axis=1, keepdims=True)
        return total + self.start

    def compute_output_spec(self, rows: Any) -> keras.KerasTensor:
        """Return one number a row."""
        return keras.KerasTensor((rows.shape[0], 1), "float32")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_trees": self.num_trees,
            "num_nodes": self.num_nodes,
            "depth": self.depth,
        }

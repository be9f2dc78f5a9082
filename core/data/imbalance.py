"""Weights that answer rare classes."""

from __future__ import annotations

import numpy as np


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """Return a weight an example, such that every class weighs the same and the mean weight is 1.

    Args:
        labels: The class of each example, shape `(num_examples,)`, any dtype that sorts.

    Returns:
        float32, shape `(num_examples,)`: `num_examples / (num_classes * count of its class)`.

    Example:

    >>> balanced_weights(np.array(["yes", "yes", "no"])).tolist()
    [0.75, 0.75, 1.5]
    """
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return (len(labels) / (len(counts) * counts))[classes].astype(np.float32)

"""From a state for each position of a text, `(batch_size, length, width)`, to one vector for it."""

from __future__ import annotations

from typing import Any

from keras import ops


def highest(states: Any, mask: Any) -> Any:
    """Return the largest value of each unit over the positions that are no padding.

    Args:
        states: Of an encoder.
        mask: 1 for a piece of text and 0 for padding, shape `(batch_size, length, 1)`.
    """
    return ops.max(states - 1e9 * (1.0 - mask), axis=1)


def mean(states: Any, mask: Any) -> Any:
    """Return the mean of each unit over the positions that are no padding.

    Args:
        states: Of an encoder.
        mask: As for `highest`.
    """
    return ops.sum(states * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)


POOLED_BY = {"convolutional": highest, "recurrent": highest, "transformer": mean}
"""What suits the states of each encoder best."""

"""Sample weights of metrics that count: an example is in or out."""

from __future__ import annotations

from typing import Any

from keras import ops


def counted(sample_weight: Any, batch_size: Any) -> Any:
    """Return which examples count, int32, shape `(batch_size,)`: those whose weight is not 0, or all.

    Args:
        sample_weight: Numbers or truth values, shape `(batch_size,)` or `(batch_size, 1)`, or None.
        batch_size: Of the batch.

    Example:

    >>> ops.convert_to_numpy(counted([0.5, 0.0], 2)).tolist()
    [1, 0]
    """
    if sample_weight is None:
        return ops.ones((batch_size,), "int32")
    return ops.cast(ops.reshape(ops.cast(sample_weight, "float32"), (-1,)) != 0, "int32")

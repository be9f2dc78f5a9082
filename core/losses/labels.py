"""What losses of labels and ids share: none is rounded, and those out of range are alike on every backend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


class LabelLoss(keras.losses.Loss):
    """A loss whose targets are labels or ids, which half precision would round to others.

    Keras converts targets to the dtype of the loss; float16 holds whole numbers up to 2048, bfloat16 to 256.

    Args:
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Of the result. The computation is in single precision where this is a half one.
    """

    def __init__(self, reduction: str | None, name: str, dtype: str) -> None:
        self.result_dtype = keras.backend.standardize_dtype(dtype)
        is_half = self.result_dtype in ("float16", "bfloat16")
        super().__init__(name=name, reduction=reduction, dtype="float32" if is_half else dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss."""
        return ops.cast(super().__call__(y_true, y_pred, sample_weight), self.result_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {**super().get_config(), "dtype": self.result_dtype}


def known_labels(labels: Any, num_classes: int) -> Any:
    """Return which labels are in range, and raise if one is not where that can be seen.

    Args:
        labels: int, of any shape.
        num_classes: What all must be below; none may be below 0.

    Returns:
        Booleans of the shape of `labels`. Within a compiled function values can't be looked at: make the loss
        NaN there, so that training does not go on with a wrong one.

    Raises:
        ValueError: A label is out of range, outside of compiled functions.

    Example:

    >>> ops.convert_to_numpy(known_labels(ops.convert_to_tensor([0, 2]), num_classes=3)).tolist()
    [True, True]
    """
    known = ops.logical_and(labels >= 0, labels < num_classes)
    values = _values(labels)
    if values is not None:
        strange = values[(values < 0) | (values >= num_classes)]
        if strange.size:
            shown = ", ".join(str(label) for label in np.unique(strange)[:5])
            raise ValueError(
                f"`y_true` must hold classes or ids below {num_classes}, and none below 0 but what stands "
                f"for padding. Received: {shown} in {strange.size} of {values.size} places."
            )
    return known


def _values(tensor: Any) -> np.ndarray | None:
    """Return the values of a tensor, None where it stands for those of a function that is being compiled."""
    try:
        return ops.convert_to_numpy(tensor)
    except (NotImplementedError, TypeError, ValueError, RuntimeError):
        return None

"""Losses for pictures that are restored: super-resolution, denoising."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class Charbonnier(keras.losses.Loss):
    """Absolute error, rounded off at zero: `sqrt((y_true - y_pred) ** 2 + epsilon ** 2)`.

    It punishes an outlier like the mean absolute error, and is smooth where the error vanishes. A perfect
    picture costs `epsilon`.

    Args:
        epsilon: Above 0, in the units of the pixels: errors far below it count quadratically. 1e-3 suits
            pixels in [0, 1].
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, whatever that of the model.

    Call arguments:
        y_true: Floats of shape `(batch, ..., channels)`.
        y_pred: Floats of the same shape.

    Raises:
        ValueError: `epsilon` is not above 0.

    Reference:
        Charbonnier et al., 1994, Two deterministic half-quadratic regularization algorithms for computed
        imaging; for super-resolution Lai et al., 2018, equation 5, https://arxiv.org/abs/1710.01992

    Example:

    >>> loss = Charbonnier(epsilon=3.0)
    >>> float(loss([[4.0, 0.0]], [[0.0, 0.0]]))  # (5 + 3) / 2
    4.0
    """

    def __init__(
        self,
        epsilon: float = 1e-3,
        reduction: str | None = "sum_over_batch_size",
        name: str = "charbonnier",
        dtype: str = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if epsilon <= 0:
            raise ValueError(f"`epsilon` must be above 0. Received: epsilon={epsilon}")
        self.epsilon = epsilon

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over channels, of shape `(batch, ...)`."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        return ops.mean(ops.sqrt(ops.square(y_true - y_pred) + self.epsilon**2), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {**super().get_config(), "dtype": self.dtype, "epsilon": self.epsilon}

"""Adam that leaves alone the rows that a batch does not look up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from core.optimizers.fused_adam import FusedAdam
from core.optimizers.rows import (
    check_backend,
    is_rows,
    looked_up,
    merged_rows,
    rows_like,
    set_rows,
    subtract_rows,
)


@keras.saving.register_keras_serializable(package="quartet")
class LazyAdam(FusedAdam):
    """Adam for tables of which a step looks up few rows; for all other weights it is Adam.

    A row that no id of the batch names keeps its value and its moments. A step then takes the time of the
    batch, whatever the size of the table, if it is read by `core.layers.take_rows`, as `LargeEmbedding` does,
    on JAX in a `core.layers.LookupModel`; rows that are named more than once get the sum of their gradients
    first, so clipping sees the true norm. Of a gradient of the whole table the values are Adam's.

    Args:
        learning_rate: Above 0, or a schedule.
        beta_1: Decay of the mean of the gradients.
        beta_2: Decay of the mean of their squares.
        epsilon: Added to the root of the latter.
        **kwargs: Of every Keras optimizer, such as `global_clipnorm`. Weight decay and averages of weights
            touch all rows, which undoes the gain.

    Reference:
        Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1, for the rows of the
        batch; the bias is corrected by the number of steps, and not by that of the row.

    Example:

    >>> from core.layers import LargeEmbedding, LookupModel
    >>> ids = keras.Input((1,), dtype="int32")
    >>> model = LookupModel(ids, LargeEmbedding(10, 2)(ids))
    >>> model.compile(LazyAdam(0.1), "mse")
    >>> before = model.get_weights()[0]
    >>> _ = model.train_on_batch(ops.array([[3]]), ops.ones((1, 1, 2)))
    >>> (model.get_weights()[0] != before).any(axis=1).nonzero()[0].tolist()
    [3]
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        check_backend(type(self).__name__)
        if kwargs.get("amsgrad"):
            raise ValueError("LazyAdam has no amsgrad. Received: amsgrad=True.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    @property
    def takes_rows(self) -> bool:
        """Whether gradients may be of some rows alone: where they are neither accumulated nor scaled."""
        return not (self.gradient_accumulation_steps or self.loss_scale_factor)

    def _clip_gradients(self, grads: Sequence[Any]) -> list[Any]:
        merged = [merged_rows(gradient) for gradient in grads]
        values = [gradient.values if is_rows(gradient) else gradient for gradient in merged]
        clipped = super()._clip_gradients(values)
        return [
            rows_like(gradient, value) if is_rows(gradient) else value
            for gradient, value in zip(merged, clipped, strict=True)
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable."""
        if not is_rows(gradient):
            super().update_step(gradient, variable, learning_rate)
            return
        self._decay(variable, learning_rate)
        index = self._get_variable_index(variable)
        mean, square = self._momentums[index], self._velocities[index]
        dtype = variable.dtype
        step = ops.cast(self.iterations + 1, dtype)
        bias = ops.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        means = self.beta_1 * looked_up(mean, gradient) + (1 - self.beta_1) * gradient.values
        means = set_rows(mean, gradient, means)
        squares = self.beta_2 * looked_up(square, gradient) + (1 - self.beta_2) * gradient.values**2
        squares = set_rows(square, gradient, squares)
        change = ops.cast(learning_rate, dtype) * bias * means / (ops.sqrt(squares) + self.epsilon)
        subtract_rows(variable, gradient, change)

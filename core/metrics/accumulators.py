"""Sums and means that stay exact over millions of terms, whatever the size of the batches."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class CompensatedSum(keras.metrics.Metric):
    """Sum in float32 that keeps beside its total what rounding took from it.

    A float32 total alone stops counting at 2**24. An int32 variable would not, but it can't be trained with
    on a GPU where TensorFlow compiles with XLA (tensorflow#53192), and it can't hold weights. Total and
    remainder together are exact for whole numbers up to 2**48.

    Args:
        shape: Of what is summed; by default a scalar.
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Source: Knuth, The Art of Computer Programming, volume 2 (1997), section 4.2.2, theorem B.

    Example:

    >>> sums = CompensatedSum()
    >>> sums.update_state(2.0**24)
    >>> sums.update_state(1.0)
    >>> sums.update_state(1.0)
    >>> int(sums.result())
    16777218
    """

    def __init__(self, shape: tuple[int, ...] = (), name: str = "sum", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.shape = tuple(shape)
        self.total = self.add_variable(self.shape, "zeros", dtype="float32", name="total")
        self.remainder = self.add_variable(self.shape, "zeros", dtype="float32", name="remainder")

    def update_state(self, values: Any) -> None:
        """Add an array.

        Args:
            values: Numbers of the shape of the sum.
        """
        total, lost = _add(ops.convert_to_tensor(self.total), ops.cast(values, "float32"))
        # Brought back into the total, the remainder never grows so large that it is rounded itself.
        total, remainder = _add(total, self.remainder + lost)
        self.total.assign(total)
        self.remainder.assign(remainder)

    def result(self) -> Any:
        """Return the sum."""
        wide = "float64" if self.dtype == "float64" else "float32"
        return ops.cast(ops.cast(self.total, wide) + ops.cast(self.remainder, wide), self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "shape": self.shape}


def _add(a: Any, b: Any) -> tuple[Any, Any]:
    """Return the rounded sum of two numbers and exactly what the rounding took."""
    total = a + b
    rounded = total - a
    return total, (a - (total - rounded)) + (b - rounded)


@keras.saving.register_keras_serializable(package="quartet")
class CompensatedMean(keras.metrics.Metric):
    """Weighted mean of all values that were seen, each of which counts alike whatever batch it came in.

    Args:
        name: Of the metric.
        dtype: Of the result; `keras.config.floatx()` by default.

    Example:

    >>> mean = CompensatedMean()
    >>> mean.update_state([1.0, 2.0, 9.0], sample_weight=[1, 1, 0])
    >>> float(mean.result())
    1.5
    """

    def __init__(self, name: str = "mean", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = CompensatedSum(name="total", dtype="float32")
        self.weight = CompensatedSum(name="weight", dtype="float32")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: Numbers of any shape.
            sample_weight: Not below 0, of the same shape or of its first axes. What weighs 0 is left out,
                even if it is not a number.
        """
        values = ops.cast(values, "float32")
        weights = weights_like(values, sample_weight)
        self.total.update_state(ops.sum(ops.where(weights > 0, values * weights, 0.0)))
        self.weight.update_state(ops.sum(weights))

    def result(self) -> Any:
        """Return the mean, a scalar; 0 before the first value."""
        return ops.cast(ops.divide_no_nan(self.total.result(), self.weight.result()), self.dtype)


def weights_like(values: Any, sample_weight: Any = None) -> Any:
    """Return a weight for each of the values: 1 without `sample_weight`.

    Args:
        values: A tensor.
        sample_weight: Numbers or truth values, of the shape of `values`, of its first axes, or with further
            axes of size 1; or None.

    Returns:
        float32, of the shape of `values`.

    Example:

    >>> ops.convert_to_numpy(weights_like(ops.zeros((2, 3)), sample_weight=[1, 0])).tolist()
    [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """
    weights = ops.ones_like(values, dtype="float32")
    if sample_weight is None:
        return weights
    sample_weight = ops.cast(sample_weight, "float32")
    while len(sample_weight.shape) > len(weights.shape):
        sample_weight = ops.squeeze(sample_weight, axis=-1)
    while len(sample_weight.shape) < len(weights.shape):
        sample_weight = ops.expand_dims(sample_weight, axis=-1)
    return weights * sample_weight

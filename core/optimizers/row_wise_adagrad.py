"""Adagrad with one number a row, for tables too large for two more of their size."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.optimizers.lazy_adam import LazyAdam
from core.optimizers.rows import is_rows, looked_up, set_rows, subtract_rows


@keras.saving.register_keras_serializable(package="quartet")
class RowWiseAdagrad(LazyAdam):
    """Adagrad with one accumulator a row for large tables; for all other weights it is Adam.

    Adam keeps two numbers for each of a table, this one number for each of its rows. As with `LazyAdam`, a
    step touches the rows of the batch alone.

    Args:
        learning_rate: Above 0, or a schedule.
        min_rows: Weights of rank 2 with at least as many rows are tables.
        **kwargs: Of `LazyAdam`.

    Reference:
        Duchi, Hazan and Singer, Adaptive Subgradient Methods (2011); a row's accumulator takes the mean of
        its squared gradients, as in Naumov et al., Deep Learning Recommendation Model (2019).

    Example:

    >>> optimizer = RowWiseAdagrad(0.1, min_rows=100)
    >>> optimizer.build([keras.Variable(ops.zeros((100, 8)))])
    >>> sum(int(ops.size(variable)) for variable in optimizer.variables) < 200
    True
    """

    def __init__(self, learning_rate: Any = 0.01, min_rows: int = 10_000, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.min_rows = min_rows

    def add_optimizer_variables(self, trainable_variables: Any, name: Any, initializer: Any = "zeros") -> Any:
        """Make one accumulator a row for tables, and Adam's two tables for other weights."""
        if isinstance(name, str):  # for averages of weights and of gradients, which are whole
            return super().add_optimizer_variables(trainable_variables, name, initializer)
        columns: tuple[list[Any], ...] = tuple([] for _ in name)
        for variable in trainable_variables:
            if self._is_table(variable):
                rows = self.add_variable(
                    (variable.shape[0], 1), initializer, dtype=variable.dtype, name="accumulator"
                )
                made = [(None,), (rows,)]
            else:
                made = [
                    tuple(each)
                    for each in super().add_optimizer_variables([variable], list(name), initializer)
                ]
            for column, values in zip(columns, made, strict=True):
                column.extend(values)
        return columns

    def _is_table(self, variable: Any) -> bool:
        return len(variable.shape) == 2 and variable.shape[0] >= self.min_rows

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable."""
        index = self._get_variable_index(variable)
        if self._momentums[index] is not None:
            super().update_step(gradient, variable, learning_rate)
            return
        self._decay(variable, learning_rate)
        accumulator = self._velocities[index]
        rate = ops.cast(learning_rate, variable.dtype)
        if not is_rows(gradient):
            self.assign_add(accumulator, ops.mean(gradient**2, axis=-1, keepdims=True))
            self.assign_sub(variable, rate * gradient / (ops.sqrt(accumulator) + self.epsilon))
            return
        squares = looked_up(accumulator, gradient) + ops.mean(gradient.values**2, axis=-1, keepdims=True)
        change = rate * gradient.values / (ops.sqrt(squares) + self.epsilon)
        set_rows(accumulator, gradient, squares)
        subtract_rows(variable, gradient, change)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "min_rows": self.min_rows}

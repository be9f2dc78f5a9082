"""Looking up rows of tables, and gradients of these rows alone, which JAX does not know of itself."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from core.optimizers.rows import Rows

_noted: contextvars.ContextVar[_Lookups | None] = contextvars.ContextVar("lookups", default=None)


def take_rows(table: keras.Variable, ids: Any) -> Any:
    """Return the rows of a table at these ids, such that their gradient may be of these rows alone.

    The step of an optimizer of `core.optimizers` then takes the time of the batch, and not of the table: on
    TensorFlow in any model, on JAX in a `LookupModel`. Elsewhere it is `ops.take`, and gradients are of the
    whole table.

    Args:
        table: Of a layer, made with `autocast=False`, shape `(num_rows, ...)`.
        ids: int or whole floats, of any shape, each at least 0 and below `num_rows`.

    Returns:
        Shape `(*ids.shape, ...)`, in the dtype of the table.
    """
    ids = ops.convert_to_tensor(ids)
    if keras.backend.standardize_dtype(ids.dtype) not in ("int32", "int64"):
        ids = ops.cast(ids, "int32")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.gather(table.value, ids)
    lookups = _noted.get()
    return ops.take(table, ids, axis=0) if lookups is None else lookups.take(table, ids)


class _Lookups:
    """Notes which rows are taken while a function is traced.

    Args:
        values: Of the tables that are noted, outside of what is differentiated, by the identity of each.
        zeros: Added to the rows, one tensor for each look-up of a table: their gradient is that of the rows.
    """

    def __init__(self, values: Mapping[int, Any], zeros: Mapping[int, Sequence[Any]] | None = None) -> None:
        self.values, self.zeros = values, zeros
        self.ids: dict[int, list[Any]] = {}

    def __enter__(self) -> _Lookups:
        self._token = _noted.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _noted.reset(self._token)

    def take(self, table: keras.Variable, ids: Any) -> Any:
        key = id(table)
        if key not in self.values:
            return ops.take(table, ids, axis=0)
        rows = ops.take(self.values[key], ids, axis=0)
        taken = self.ids.setdefault(key, [])
        if self.zeros is not None:
            rows = rows + self.zeros[key][len(taken)]
        taken.append(ops.convert_to_tensor(ids))
        return rows


def value_and_row_gradients(
    loss: Callable[[list[Any]], tuple[Any, Any]], variables: Sequence[keras.Variable], values: Sequence[Any]
) -> tuple[tuple[Any, Any], list[Any]]:
    """Return on JAX what `jax.value_and_grad` does, but gradients of rows for tables.

    A table is a variable that `loss` reads by `take_rows` alone. One that it reads otherwise too, such as a
    regularised one, has the gradient of the whole. `loss` is traced twice.

    Args:
        loss: From values of the variables to the loss and whatever else it computes. It must not look up
            rows within a loop of JAX.
        variables: To differentiate by.
        values: Of the variables.

    Returns:
        What `loss` returned, and the gradient for each variable: a tensor, or `core.optimizers.rows.Rows`.
    """
    import jax

    shapes = _looked_up_only(loss, variables, values)
    tables = {id(variable): value for variable, value in zip(variables, values, strict=True)}
    tables = {key: tables[key] for key in shapes}
    zeros = {key: [ops.zeros(shape, tables[key].dtype) for shape in shapes[key]] for key in shapes}

    def differentiated(dense: list[Any], zeros: dict[int, list[Any]]) -> tuple[Any, Any]:
        rest = iter(dense)
        merged = [tables[id(each)] if id(each) in tables else next(rest) for each in variables]
        with _Lookups(tables, zeros) as lookups:
            value, others = loss(merged)
        return value, (others, lookups.ids)

    dense = [value for each, value in zip(variables, values, strict=True) if id(each) not in tables]
    derived = jax.value_and_grad(differentiated, argnums=(0, 1), has_aux=True)
    (value, (others, ids)), (of_dense, of_rows) = derived(dense, zeros)
    rest = iter(of_dense)
    gradients = [
        _rows(of_rows[id(each)], ids[id(each)], each.shape) if id(each) in tables else next(rest)
        for each in variables
    ]
    return (value, others), gradients


def _looked_up_only(
    loss: Callable[[list[Any]], tuple[Any, Any]], variables: Sequence[keras.Variable], values: Sequence[Any]
) -> dict[int, list[tuple[int, ...]]]:
    """Return the shapes of what is looked up of each variable that nothing else reads, by identity."""
    import jax

    # The rows come from outside of the traced function, whose own arguments other reads alone then use.
    with _Lookups({id(each): value for each, value in zip(variables, values, strict=True)}) as lookups:
        traced = jax.make_jaxpr(lambda values: loss(values)[0])(list(values)).jaxpr
    read = {id(operand) for equation in traced.eqns for operand in equation.invars}
    read |= {id(operand) for operand in traced.outvars}
    tables = {
        id(each): each.shape
        for each, operand in zip(variables, traced.invars, strict=True)
        if id(operand) not in read
    }
    return {
        key: [(*ids.shape, *tables[key][1:]) for ids in taken]
        for key, taken in lookups.ids.items()
        if key in tables
    }


def _rows(gradients: Sequence[Any], ids: Sequence[Any], shape: tuple[int, ...]) -> Rows:
    """Return the gradient of a table from those of all that was looked up of it."""
    values = ops.concatenate([ops.reshape(each, (-1, *shape[1:])) for each in gradients])
    return Rows(values, ops.concatenate([ops.ravel(each) for each in ids]), shape)

"""Functions of a model's layers, compiled by whichever backend Keras has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras


def compiled(function: Callable[..., Any], model: keras.Model) -> Callable[..., Any]:
    """Return a function that is compiled, once for arguments of the same shapes and types.

    Args:
        function: Of tensors, or nests of them, that reads the weights of the model and changes none.
        model: Whose weights are read as they are at each call.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, reduce_retracing=True, autograph=False)
    if backend == "jax":
        import jax

        @jax.jit
        def stateless(values: list[Any], arguments: tuple[Any, ...]) -> Any:
            mapping = list(zip(model.variables, values, strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                return function(*arguments)

        @functools.wraps(function)
        def call(*arguments: Any) -> Any:
            return stateless([variable.value for variable in model.variables], arguments)

        return call
    return function

"""Gradients on whichever backend the tests run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

Differentiated = Callable[[Any], tuple[np.ndarray, np.ndarray]]


def differentiate(function: Callable[[Any], Any], compiled: bool = False) -> Differentiated:
    """Return what gives a scalar function's value and gradient at an array, on JAX always through XLA."""
    if keras.backend.backend() == "jax":
        import jax

        # To compile one function takes less time than to compile each of its operations.
        value_and_gradient = jax.jit(jax.value_and_grad(function))
    else:
        import tensorflow as tf

        def value_and_gradient(x: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                tape.watch(x)
                total = function(x)
            return total, tape.gradient(total, x)

        if compiled:
            value_and_gradient = tf.function(value_and_gradient, jit_compile=True)

    def at(x: Any) -> tuple[np.ndarray, np.ndarray]:
        value, gradient = value_and_gradient(keras.ops.convert_to_tensor(np.asarray(x, dtype="float32")))
        return keras.ops.convert_to_numpy(value), keras.ops.convert_to_numpy(gradient)

    return at


def value_and_gradient(
    function: Callable[[Any], Any], at: Any, compiled: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return a scalar function's value and its gradient at an array."""
    return differentiate(function, compiled)(at)

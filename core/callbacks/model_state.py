"""All that training changes in a model, as arrays and back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from core.callbacks.state_file import StateError


def model_state(model: keras.Model) -> dict[str, np.ndarray]:
    """Return a copy of every variable that training changes.

    These are the weights, the seed generators of random layers, the variables of every optimizer that is an
    attribute of the model, and the metrics. Inside a callback pass `self.model`, which on JAX brings the
    variables up to date.

    Args:
        model: A built model. If it is compiled and its optimizer is not built, the optimizer is built.

    Returns:
        Name to array. A name holds the kind of variable, its place among its kind, and its path.

    Raises:
        ValueError: If the model is not built.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="out")])
    >>> [value.shape for value in model_state(model).values()]
    [(2, 1), (1,)]
    """
    # A copy, because on JAX the array may share memory with a buffer that the next step gives away.
    return {name: np.array(keras.ops.convert_to_numpy(value)) for name, value in _variables(model).items()}


def restore_model_state(model: keras.Model, state: Mapping[str, np.ndarray]) -> None:
    """Give every variable the value it has in `state`; variables are matched by kind and place.

    Metrics that Keras has not built yet are left alone: it builds them at the first step. `add_metric_state`
    can follow then.

    Args:
        model: A built model of the architecture, optimizer and metrics that `state` was taken from.
        state: What `model_state` returned.

    Raises:
        StateError: If the variables differ in number, shape or dtype. The model is then unchanged.
    """
    variables, saved = _variables(model), dict(state)
    if not metrics_match(model, state):
        variables, saved = _part(variables, metrics=False), _part(saved, metrics=False)
    if lacks_weights(model) and len(variables) < len(saved):
        raise StateError(
            f"The model must have all its weights: call it on a batch first. Received: {model.name} with "
            f"{len(variables)} of the {len(saved)} variables of the state."
        )
    _check_alike(variables, saved)
    for variable, value in zip(variables.values(), saved.values(), strict=True):
        variable.assign(value.copy())  # on JAX the variable may take over the memory and give it away


def metrics_match(model: keras.Model, state: Mapping[str, np.ndarray]) -> bool:
    """Tell whether Keras has built the model's metrics as far as it had when `state` was taken."""
    return len(model.metrics_variables) == len(_part(state, metrics=True))


def add_metric_state(model: keras.Model, state: Mapping[str, np.ndarray]) -> None:
    """Add the metrics in `state` to the model's own, as if their examples had come first.

    Exact for metrics whose variables are sums over examples or batches, as those of Keras are.

    Raises:
        StateError: If the metrics differ in number, shape or dtype.
    """
    variables, saved = _part(_variables(model), metrics=True), _part(state, metrics=True)
    _check_alike(variables, saved)
    for variable, value in zip(variables.values(), saved.values(), strict=True):
        variable.assign(keras.ops.convert_to_tensor(value) + variable)


def lacks_weights(model: keras.Model) -> bool:
    """Return whether a layer has not made its weights; a subclassed model says `built` before they have."""
    return any(not layer.built for layer in model._flatten_layers())


def optimizers_of(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """Return the optimizers that are attributes of the model: `compile` gives it one, a GAN has more."""
    return [value for value in vars(model).values() if isinstance(value, keras.optimizers.Optimizer)]


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    if not model.built or (not model.weights and lacks_weights(model)):
        raise ValueError(
            f"The model must have its weights: call it on a batch first. Received: {model.name} without."
        )
    optimizers = optimizers_of(model)
    compiled = getattr(model, "optimizer", None)
    if compiled is not None and not compiled.built:
        compiled.build(model.trainable_variables)
    kinds = {
        "model": model.variables,
        "optimizer": [variable for optimizer in optimizers for variable in optimizer.variables],
        "metric": model.metrics_variables,
    }
    return {
        f"{kind}/{place}/{variable.path}": variable
        for kind, variables in kinds.items()
        for place, variable in enumerate(variables)
    }


def _part(named: Mapping[str, Any], *, metrics: bool) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name.startswith("metric/") == metrics}


def _check_alike(variables: Mapping[str, keras.Variable], saved: Mapping[str, np.ndarray]) -> None:
    mine = [(name, tuple(variable.shape), variable.dtype) for name, variable in variables.items()]
    theirs = [(name, value.shape, value.dtype.name) for name, value in saved.items()]
    for here, there in itertools.zip_longest(mine, theirs, fillvalue=("no variable", (), "")):
        if (here[0].split("/")[0], *here[1:]) != (there[0].split("/")[0], *there[1:]):
            raise StateError(
                "The state is of another model, optimizer or set of metrics: "
                f"the model has {here[0]} {here[1]} {here[2]}. Received: {there[0]} {there[1]} {there[2]}."
            )

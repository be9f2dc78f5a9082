"""How large gradients and weights are while a model trains, and where to clip."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

PERCENTILES = (5, 25, 50, 75, 90, 95, 99, 100)
# The largest norm must be so many times the median before clipping is advised.
_SPIKE = 5.0


class GradientNorms(keras.callbacks.Callback):
    """Measures the norms of gradients and weights every so many steps, and advises where to clip.

    The gradients are those of held batches, in training mode but without effect: dropout draws what the next
    training step would draw, running averages, metrics and seeds stay as they are. Works on TensorFlow and
    JAX, for models that train on the loss given to `compile`. Each measurement costs a forward and a backward
    pass.

    The advice follows the habit of clipping at a typical norm of the training at hand (Pascanu, Mikolov and
    Bengio 2013, "On the difficulty of training recurrent neural networks", section 3.2: watch the norm over
    many updates).

    Args:
        batches: Batches `(x, y)` or `(x, y, sample_weight)`, at least one; each measurement takes the next
            one, and after the last comes the first again. All are kept in memory: give some ten.
        every_steps: Steps between measurements, at least 1. Within steps that are executed together there is
            none: it follows at their end.

    Attributes:
        steps: The steps, counted from the first epoch of this training, after which a measurement was taken.
        gradient_norms: For each measurement the Euclidean norm of each trainable variable's gradient: a list
            of lists of floats, in the order of `model.trainable_variables`.
        weight_norms: The same for the variables themselves.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> norms = GradientNorms([(x, y)], every_steps=1)
    >>> history = model.fit(x, y, batch_size=2, callbacks=[norms], verbose=0)
    >>> norms.steps
    [1, 2, 3, 4]
    """

    def __init__(self, batches: Iterable[tuple], every_steps: int = 50) -> None:
        super().__init__()
        self._batches = [keras.tree.map_structure(_as_array, tuple(batch)) for batch in batches]
        if not self._batches or every_steps < 1:
            raise ValueError(
                "There must be at least one batch, and every_steps must be at least 1. "
                f"Received: {len(self._batches)} batches, every_steps={every_steps}."
            )
        self.every_steps = every_steps
        self._begin()

    def _begin(self) -> None:
        self.steps: list[int] = []
        self.gradient_norms: list[list[float]] = []
        self.weight_norms: list[list[float]] = []
        self._step = self._next_batch = 0
        self._measure: Any = None

    @property
    def global_norms(self) -> np.ndarray:
        """The norm of the whole gradient, one for each measurement, what `global_clipnorm` limits."""
        return np.array([math.hypot(*norms) for norms in self.gradient_norms])

    def percentiles(self) -> dict[int, float]:
        """Return percentiles of the global norm, by percent."""
        norms = self.global_norms
        return (
            {percent: float(np.percentile(norms, percent)) for percent in PERCENTILES} if len(norms) else {}
        )

    def advice(self) -> str:
        """Say in words what the global norms were and where to clip them."""
        norms = self.global_norms
        if not len(norms):
            return "No gradient was measured."
        if not np.isfinite(norms).all():
            bad = f"{np.count_nonzero(~np.isfinite(norms))} of {len(norms)} gradient norms were not finite"
            return f"{bad}: lower the learning rate before clipping."
        at = self.percentiles()
        seen = f"Of {len(norms)} gradient norms the median was {at[50]:.3g}, the largest {at[100]:.3g}."
        if at[100] <= _SPIKE * at[50]:
            return f"{seen} There are no spikes: clipping is not needed."
        return (
            f"{seen} Clip at the 90th percentile: global_clipnorm={at[90]:.3g} tames the spikes "
            "and leaves nine steps in ten as they are."
        )

    def on_train_begin(self, logs: Mapping | None = None) -> None:
        """Forget the last training."""
        self._begin()

    def on_train_batch_begin(self, batch: int, logs: Mapping | None = None) -> None:
        """Note which batch of the epoch is next."""
        self._next_batch = batch

    def on_train_batch_end(self, batch: int, logs: Mapping | None = None) -> None:
        """Measure, if it is time to."""
        steps_before = self._step
        self._step += batch + 1 - self._next_batch  # more than one where steps are executed together
        if self._step // self.every_steps == steps_before // self.every_steps:
            return
        model = self.model
        if self._measure is None:
            self._measure = _compiled(model)
        data = self._batches[len(self.steps) % len(self._batches)]
        values = [keras.ops.convert_to_tensor(variable) for variable in _variables(model)]
        gradients, weights = self._measure(values, data)
        self.steps.append(self._step)
        self.gradient_norms.append([float(norm) for norm in gradients])
        self.weight_norms.append([float(norm) for norm in weights])


def _as_array(value: Any) -> np.ndarray | None:
    return None if value is None else keras.ops.convert_to_numpy(value)


def _compiled(model: keras.Model) -> Any:
    """Return the function `(values of all variables, batch) -> (gradient norms, weight norms)`."""
    variables = _variables(model)
    num_trained = len(model.trainable_variables)

    def loss(trained: list, others: list, batch: tuple) -> Any:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        # What the pass assigns stays in the scope and is forgotten with it.
        mapping = list(zip(variables, [*trained, *others], strict=True))
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
            y_pred = model(x, training=True)
            return model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)

    def norms(tensors: list) -> list:
        return [0.0 if tensor is None else keras.ops.norm(keras.ops.ravel(tensor)) for tensor in tensors]

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        @tf.function(reduce_retracing=True)
        def measure(values: list, batch: tuple) -> tuple[list, list]:
            trained, others = values[:num_trained], values[num_trained:]
            with tf.GradientTape() as tape:
                tape.watch(trained)
                value = loss(trained, others, batch)
            gradients = tape.gradient(value, trained)  # those of embeddings hold rows, some more than once
            dense = [None if gradient is None else tf.convert_to_tensor(gradient) for gradient in gradients]
            return norms(dense), norms(trained)

        return measure
    if keras.backend.backend() == "jax":
        import jax

        gradients_of = jax.grad(loss)

        @jax.jit
        def measure_on_jax(values: list, batch: tuple) -> tuple[list, list]:
            trained, others = values[:num_trained], values[num_trained:]
            return norms(gradients_of(trained, others, batch)), norms(trained)

        return measure_on_jax
    raise ValueError(f"GradientNorms works on TensorFlow and JAX. Received: {keras.backend.backend()}.")


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.trainable_variables, *model.non_trainable_variables, *model.metrics_variables]

"""A model whose steps do not grow with the tables that it looks up, on JAX too."""

from __future__ import annotations

from typing import Any

import keras

from core.layers.lookups import value_and_row_gradients


@keras.saving.register_keras_serializable(package="quartet")
class LookupModel(keras.Model):
    """A functional model that trains, with an optimizer of `core.optimizers`, the looked-up rows of tables.

    On JAX its step computes gradients of the rows that `core.layers.take_rows` has looked up, where Keras'
    own computes that of the whole table. With other optimizers, with gradients that are accumulated or
    scaled, and on other backends, of which TensorFlow knows gradients of rows itself, it is `keras.Model`.

    Args:
        inputs: As of `keras.Model`.
        outputs: As of `keras.Model`.

    Example:

    >>> from core.layers import LargeEmbedding
    >>> from core.optimizers import LazyAdam
    >>> ids = keras.Input((1,), dtype="int32")
    >>> model = LookupModel(ids, LargeEmbedding(10, 2)(ids))
    >>> model.compile(LazyAdam(0.1), "mse")
    >>> before = model.get_weights()[0]
    >>> _ = model.train_on_batch(keras.ops.array([[3]]), keras.ops.ones((1, 1, 2)))
    >>> (model.get_weights()[0] != before).any(axis=1).nonzero()[0].tolist()
    [3]
    """

    if keras.backend.backend() == "jax":

        def train_step(self, state: Any, data: Any) -> tuple[Any, Any]:
            """Step as Keras' trainer does, but for the gradients of tables."""
            if not getattr(self.optimizer, "takes_rows", False):
                return super().train_step(state, data)
            values, others, optimizer_state, metrics = state
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)

            def loss(values: list[Any]) -> tuple[Any, Any]:
                return self.compute_loss_and_updates(
                    values,
                    others,
                    metrics,
                    x,
                    y,
                    sample_weight,
                    training=True,
                    optimizer_variables=optimizer_state,
                )

            (_, updates), gradients = value_and_row_gradients(loss, self.trainable_variables, values)
            unscaled_loss, y_pred, others, metrics = updates
            values, optimizer_state = self.optimizer.stateless_apply(optimizer_state, gradients, values)
            logs, metrics = self._update_metrics_variables(
                metrics, unscaled_loss, x, y, y_pred, sample_weight
            )
            return logs, (values, others, optimizer_state, metrics)

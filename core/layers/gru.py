"""A gated recurrent layer whose steps over time do only what depends on the step before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="quartet")
class FusedGRU(keras.layers.GRU):
    """A GRU that trains faster on a CPU, above all in bfloat16.

    The inputs of all steps are multiplied by the kernel at once, and the gradient goes back by one product a
    step; that of the kernels is one product over all steps. Weights and answers are those of
    `keras.layers.GRU`, whose loop it takes on other backends, on a GPU, which has an operation for it, and
    for other activations than the usual, without bias and with dropout.

    Args:
        **kwargs: Of `keras.layers.GRU`.

    Input shape:
        `(batch_size, num_steps, num_features)`, float.

    Output shape:
        `(batch_size, num_steps, units)` where sequences are returned, else `(batch_size, units)`.

    Reference:
        Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014), equations 5 to 8; the
        reset gate acts after the product, as in cuDNN.

    Example:

    >>> read = keras.layers.Bidirectional(FusedGRU(8, return_sequences=True))
    >>> read(keras.random.normal((2, 5, 3))).shape
    TensorShape([2, 5, 16])
    """

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Return the last output, the outputs of all steps, and the last state."""
        if not self._is_fused():
            return super().inner_loop(sequences, initial_state, mask, training)
        inputs = _steps_first(sequences)
        keep = ops.ones_like(inputs[..., :1]) if mask is None else _steps_first(ops.expand_dims(mask, -1))
        keep = ops.cast(keep, self.compute_dtype)
        if self.go_backwards:
            inputs, keep = ops.flip(inputs, 0), ops.flip(keep, 0)
        kernel, recurrent_kernel, bias = (
            ops.cast(weight, self.compute_dtype)
            for weight in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        )
        inputs = ops.matmul(inputs, kernel) + bias[0]
        states = _states(inputs, recurrent_kernel, bias[1], keep, initial_state[0])
        # As in Keras the output before the first step that counts is zero, whatever state there is.
        shown = keep if self.zero_output_for_mask else _begun(keep)
        outputs = states * ops.stop_gradient(shown)
        return outputs[-1], _steps_first(outputs), [states[-1]]

    def _is_fused(self) -> bool:
        if keras.backend.backend() != "tensorflow":
            return False
        import tensorflow as tf

        cell = self.cell
        is_usual = cell.activation is keras.activations.tanh
        is_usual &= cell.recurrent_activation is keras.activations.sigmoid
        is_usual &= cell.use_bias and cell.reset_after and not (cell.dropout or cell.recurrent_dropout)
        return is_usual and not self.unroll and not tf.config.list_logical_devices("GPU")


def _steps_first(sequences: Any) -> Any:
    """Exchange the axes of the batch and of the steps."""
    return ops.transpose(sequences, (1, 0, 2))


def _begun(keep: Any) -> Any:
    """Return 1 from the first step that counts of each sequence, and 0 before, shape as `keep`."""
    return ops.minimum(ops.cumsum(keep, axis=0), 1.0)


def _gates(state: Any, kernel: Any, bias: Any, inputs: Any) -> tuple[Any, Any, Any, Any]:
    """Return the update gate, the reset gate, the candidate, and what the latter makes of the state alone."""
    update, reset, candidate = ops.split(inputs, 3, axis=-1)
    *gates, recalled = ops.split(ops.matmul(state, kernel) + bias, 3, axis=-1)
    update, reset = ops.sigmoid(update + gates[0]), ops.sigmoid(reset + gates[1])
    return update, reset, ops.tanh(candidate + reset * recalled), recalled


def _scan(step: Callable[..., Any], start: Any, of_steps: tuple[Any, ...], reverse: bool = False) -> Any:
    """Return the state at the end, and what each step gives; `ops.scan` wants to know the number of steps."""
    import tensorflow as tf

    count = tf.shape(of_steps[0])[0]
    given = [
        tf.TensorArray(each.dtype, count, element_shape=each.shape[1:]).unstack(each) for each in of_steps
    ]
    taken = tf.TensorArray(start.dtype, count, element_shape=start.shape)

    def body(number: Any, state: Any, taken: Any) -> tuple[Any, Any, Any]:
        place = count - 1 - number if reverse else number
        state, result = step(state, *(each.read(place) for each in given))
        return number + 1, state, taken.write(place, result)

    _, state, taken = tf.while_loop(
        lambda number, *_: number < count, body, (0, start, taken), parallel_iterations=1
    )
    return state, taken.stack()


@ops.custom_gradient
def _states(inputs: Any, kernel: Any, bias: Any, keep: Any, start: Any) -> Any:
    """Return the states after all steps, shape `(num_steps, batch_size, units)`.

    Args:
        inputs: By their kernel, shape `(num_steps, batch_size, 3 * units)`.
        kernel: Of the states, shape `(units, 3 * units)`.
        bias: Shape `(3 * units,)`.
        keep: 1, or 0 where a step leaves the state as it was, shape `(num_steps, batch_size, 1)`.
        start: State before the first step, shape `(batch_size, units)`.
    """

    def step(state: Any, inputs: Any, keep: Any) -> tuple[Any, Any]:
        update, _, candidate, _ = _gates(state, kernel, bias, inputs)
        state = state + keep * (1.0 - update) * (candidate - state)
        return state, state

    _, states = _scan(step, start, (inputs, keep))

    def gradient(upstream: Any) -> tuple[Any, ...]:
        # What needs no later step is computed for all steps at once; the loop has one product for each.
        before = ops.concatenate([start[None], states[:-1]])
        update, reset, candidate, recalled = _gates(before, kernel, bias, inputs)
        to_candidate = keep * (1.0 - update) * (1.0 - candidate**2)
        to_update = keep * (before - candidate) * update * (1.0 - update)
        to_reset = to_candidate * recalled * reset * (1.0 - reset)
        slopes = ops.concatenate([to_update, to_reset, to_candidate * reset], axis=-1)

        def step_back(later: Any, upstream: Any, slopes: Any, passed_on: Any) -> tuple[Any, Any]:
            here = later + upstream
            return here * passed_on + ops.matmul(ops.tile(here, (1, 3)) * slopes, ops.transpose(kernel)), here

        passed_on = 1.0 - keep * (1.0 - update)
        of_start, here = _scan(step_back, ops.zeros_like(start), (upstream, slopes, passed_on), reverse=True)
        of_gates = ops.tile(here, (1, 1, 3)) * slopes
        units = start.shape[-1]
        of_inputs = ops.concatenate([of_gates[..., : 2 * units], here * to_candidate], axis=-1)
        flat = ops.reshape(of_gates, (-1, 3 * units))
        of_kernel = ops.matmul(ops.transpose(ops.reshape(before, (-1, units))), flat)
        return of_inputs, of_kernel, ops.sum(flat, axis=0), ops.zeros_like(keep), of_start

    return states, gradient

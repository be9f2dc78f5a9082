"""Scores of all spans of a sequence, each told from its two ends together."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

FORBIDDEN = -1e4
"""The score of what is no span, which leaves no probability and is finite, so that gradients are too."""


@keras.saving.register_keras_serializable(package="quartet")
class SpanScores(keras.layers.Layer):
    """Scores each span up to a length by its first state, its last, and how long it is, and scores none.

    The scores of one sequence are logits of one choice: softmax makes them probabilities of spans, where
    scores of first and last alone would let any first go with any last.

    Args:
        longest: Of a span, in steps, at least 1.
        units: Of the hidden layer in which both ends meet.

    Input shape:
        States, float, `(batch_size, num_steps, num_features)`; and which steps count, bool or 0 and 1,
        `(batch_size, num_steps)`.

    Output shape:
        `(batch_size, 1 + num_steps * longest)`: first the score of no span; then, for each first step, those
        of the spans of 1, 2, ... steps. Spans over the end, or over steps that don't count, have `FORBIDDEN`.

    Reference:
        Lee et al., Learning Recurrent Span Representations for Extractive Question Answering (2016),
        section 3, with the two ends of a span in place of all that is in it.

    Example:

    >>> scores = SpanScores(longest=2, units=4)(ops.ones((1, 3, 5)), ops.array([[1, 1, 0]]))
    >>> ops.convert_to_numpy(scores > FORBIDDEN / 2).astype(int).tolist()
    [[1, 1, 1, 1, 0, 0, 0]]
    """

    def __init__(self, longest: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, value in {"longest": longest, "units": units}.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1. Received: {name}={value}.")
        self.longest, self.units = longest, units
        self.firsts = keras.layers.Dense(units, dtype=self.dtype_policy, name="firsts")
        self.lasts = keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy, name="lasts")
        self.scores = keras.layers.Dense(1, use_bias=False, dtype=self.dtype_policy, name="scores")
        self.none = keras.layers.Dense(1, dtype=self.dtype_policy, name="none")

    def build(self, states_shape: tuple[int | None, ...], mask_shape: Any = None) -> None:
        """Make the weights, for states of this shape."""
        for layer in (self.firsts, self.lasts, self.none):
            layer.build(states_shape)
        self.scores.build((*states_shape[:-1], self.longest, self.units))
        self.lengths = self.add_weight(shape=(self.longest, self.units), initializer="zeros", name="lengths")
        self.built = True

    def call(self, states: Any, mask: Any) -> Any:
        """Return the scores."""
        mask = ops.cast(mask, states.dtype)
        firsts, lasts = self.firsts(states), self.lasts(states)
        hidden = ops.relu(
            ops.expand_dims(firsts, 2) + self._ends(lasts) + ops.cast(self.lengths, lasts.dtype)
        )
        scores = ops.squeeze(self.scores(hidden), -1)
        counts = ops.expand_dims(mask, -1) * ops.squeeze(self._ends(ops.expand_dims(mask, -1)), -1)
        scores = ops.where(counts > 0, scores, ops.cast(FORBIDDEN, scores.dtype))
        per_step = self.none(states) + (1.0 - ops.expand_dims(mask, -1)) * FORBIDDEN
        return ops.concatenate([ops.max(per_step, axis=1), self._flat(scores)], axis=1)

    def _ends(self, values: Any) -> Any:
        """Return the values at the last step of each span, `(batch_size, num_steps, longest, width)`."""
        beyond = self.longest - 1
        padded = ops.pad(values, ((0, 0), (0, beyond), (0, 0)))
        return ops.stack([padded[:, more : more - beyond or None] for more in range(self.longest)], axis=2)

    def _flat(self, scores: Any) -> Any:
        return ops.reshape(scores, (ops.shape(scores)[0], ops.shape(scores)[1] * self.longest))

    def compute_output_spec(self, states: Any, mask: Any) -> keras.KerasTensor:
        """Return the shape of the scores, and their type."""
        steps = states.shape[1]
        width = None if steps is None else 1 + steps * self.longest
        return keras.KerasTensor((states.shape[0], width), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "longest": self.longest, "units": self.units}

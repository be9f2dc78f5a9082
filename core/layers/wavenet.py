"""WaveNet: scores each sample of a wave by those before it, and goes on with one at constant cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

AROUND = (-1, 0, 1)  # samples about that one period back which are looked at


@keras.saving.register_keras_serializable(package="quartet")
class GatedCausalBlock(keras.layers.Layer):
    """A dilated causal convolution of two taps, gated and conditioned, with a residual and a skip output.

    Args:
        filters: Channels of the gate.
        skip_filters: Channels of the skip output.
        dilation: Steps from the one tap to the other.
        steps_per_condition: How many steps each condition stands for.

    Call arguments:
        inputs: A pair: steps, float, shape `(batch_size, num_steps, channels)`, and what they are
            conditioned on, `(batch_size, num_steps / steps_per_condition, num_features)`.

    Returns:
        A pair: steps for the next block, of the shape of these, and the skip output,
        `(batch_size, num_steps, skip_filters)`.

    Source: van den Oord et al., WaveNet: A Generative Model for Raw Audio (2016), equation 3 and figure 4.

    Example:

    >>> steps, conditions = keras.ops.ones((2, 6, 4)), keras.ops.ones((2, 3, 5))
    >>> after, skip = GatedCausalBlock(8, 16, dilation=2, steps_per_condition=2)((steps, conditions))
    >>> after.shape, skip.shape
    (TensorShape([2, 6, 4]), TensorShape([2, 6, 16]))
    """

    def __init__(
        self,
        filters: int,
        skip_filters: int,
        dilation: int = 1,
        steps_per_condition: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(filters, skip_filters, dilation, steps_per_condition) < 1:
            raise ValueError(
                "filters, skip_filters, dilation and steps_per_condition must be at least 1. "
                f"Received: filters={filters}, skip_filters={skip_filters}, dilation={dilation}, "
                f"steps_per_condition={steps_per_condition}."
            )
        self.filters = filters
        self.skip_filters = skip_filters
        self.dilation = dilation
        self.steps_per_condition = steps_per_condition

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        (*_, channels), (*_, num_features) = input_shape
        self.channels = channels
        self.taps = self.add_weight((2 * channels, 2 * self.filters), name="taps")
        self.condition = self.add_weight((num_features, 2 * self.filters), name="condition")
        self.gate_bias = self.add_weight((2 * self.filters,), "zeros", name="gate_bias")
        self.outputs = self.add_weight((self.filters, channels + self.skip_filters), name="outputs")
        self.output_bias = self.add_weight((channels + self.skip_filters,), "zeros", name="output_bias")

    def call(self, inputs: tuple[Any, Any]) -> tuple[Any, Any]:
        """Return the steps for the next block, and the skip output."""
        x, conditions = inputs
        past = ops.pad(x, ((0, 0), (self.dilation, 0), (0, 0)))[:, : -self.dilation]
        conditions = ops.repeat(self.conditioned(conditions), self.steps_per_condition, axis=1)
        return self.step(x, past, conditions)

    def conditioned(self, conditions: Any) -> Any:
        """Return what conditions add to the gate, shape `(..., 2 * filters)`."""
        return ops.matmul(conditions, self.condition) + self.gate_bias

    def step(self, x: Any, past: Any, conditions: Any) -> tuple[Any, Any]:
        """Return both outputs of steps, by those that lie `dilation` before them.

        Args:
            x: Shape `(..., channels)`.
            past: What came `dilation` steps before, likewise.
            conditions: What `conditioned` returned, shape `(..., 2 * filters)`.
        """
        gates = ops.matmul(ops.concatenate([past, x], axis=-1), self.taps) + conditions
        gated = ops.tanh(gates[..., : self.filters]) * ops.sigmoid(gates[..., self.filters :])
        both = ops.matmul(gated, self.outputs) + self.output_bias
        return x + both[..., : self.channels], both[..., self.channels :]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shapes of the steps and of the skip output."""
        steps, _ = input_shape
        return tuple(steps), (*steps[:-1], self.skip_filters)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        names = ("filters", "skip_filters", "dilation", "steps_per_condition")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="quartet")
class WaveNet(keras.layers.Layer):
    """Scores the level of each sample of a wave by all samples before it and by frames of features.

    `call` scores whole waves for training. `generate` makes new ones: it keeps the past of each block in a
    ring, so that a sample costs the same however many came before it.

    Args:
        num_levels: Of a sample, such as 256 by the mu-law.
        samples_per_frame: How many samples each frame stands for.
        filters: Channels of the blocks.
        skip_filters: Channels of their skip outputs, and of the layer behind them.
        dilations: One a block, such as 1, 2, 4, 8 and again.
        longest_lag: If not 0, each sample is scored by those one period of the pitch before it too, which
            lies up to so many samples back.

    Call arguments:
        inputs: The sample before each, float, -1 to 1, shape `(batch_size, num_samples)`; frames,
            `(batch_size, num_samples / samples_per_frame, num_features)`; and where there is a longest lag,
            the period at each frame, in samples, int, `(batch_size, num_samples / samples_per_frame)`.

    Returns:
        Logits, `(batch_size, num_samples, num_levels)`.

    Source: van den Oord et al., WaveNet: A Generative Model for Raw Audio (2016); the rings are those of
    Le Paine et al., Fast Wavenet Generation Algorithm (2016), and samples one period back, in a simpler form,
    those of Wu et al., Quasi-Periodic WaveNet (2019).

    Example:

    >>> net = WaveNet(16, samples_per_frame=4, filters=8, skip_filters=8, dilations=[1, 2, 4])
    >>> net((keras.ops.zeros((2, 12)), keras.ops.zeros((2, 3, 5)))).shape
    TensorShape([2, 12, 16])
    >>> noise = keras.ops.full((2, 12), 0.5)
    >>> levels, state = net.generate(net.silence(2), keras.ops.zeros((2, 3, 5)), noise)
    >>> levels.shape
    TensorShape([2, 12])
    """

    def __init__(
        self,
        num_levels: int,
        samples_per_frame: int,
        filters: int = 32,
        skip_filters: int = 64,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
        longest_lag: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if num_levels < 2 or samples_per_frame < 1 or not dilations:
            raise ValueError(
                "WaveNet needs num_levels >= 2, samples_per_frame >= 1 and at least one dilation. Received: "
                f"num_levels={num_levels}, samples_per_frame={samples_per_frame}, dilations={dilations}."
            )
        self.num_levels = num_levels
        self.samples_per_frame = samples_per_frame
        self.filters = filters
        self.skip_filters = skip_filters
        self.dilations = list(dilations)
        self.longest_lag = longest_lag
        self.entry = keras.layers.Dense(filters, name="entry")
        self.blocks = [
            GatedCausalBlock(filters, skip_filters, dilation, samples_per_frame, name=f"block_{number}")
            for number, dilation in enumerate(self.dilations)
        ]
        self.hidden = keras.layers.Dense(skip_filters, "relu", name="hidden")
        self.scores = keras.layers.Dense(num_levels, dtype="float32", name="scores")

    @property
    def receptive_field(self) -> int:
        """How many samples before each have a say in its scores."""
        return 1 + sum(self.dilations)

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        samples, frames = input_shape[:2]
        self.entry.build((*samples, 1 + (len(AROUND) if self.longest_lag else 0)))
        for block in self.blocks:
            block.build(((*samples, self.filters), frames))
        self.hidden.build((*samples, self.skip_filters))
        self.scores.build((*samples, self.skip_filters))

    def call(self, inputs: Any) -> Any:
        """Return the scores of the level of each sample."""
        before, frames = inputs[:2]
        x = ops.expand_dims(before, -1)
        if self.longest_lag:
            x = ops.concatenate([x, self._period_before(before, inputs[2])], axis=-1)
        x = self.entry(x)
        total = 0.0
        for block in self.blocks:
            x, skip = block((x, frames))
            total = total + skip
        return self._scored(total)

    def _period_before(self, before: Any, lags: Any) -> Any:
        """Return the samples about one period before each, `(batch_size, num_samples, 3)`."""
        lags = ops.repeat(self._bounded(lags), self.samples_per_frame, axis=1)
        # Of `before`, the sample at a place is one further on.
        place = ops.cumsum(ops.ones_like(lags), axis=1) - lags
        padded = ops.pad(before, ((0, 0), (self.longest_lag + 1, 0)))
        taps = [ops.take_along_axis(padded, place + self.longest_lag + 1 + k, axis=1) for k in AROUND]
        return ops.stack(taps, axis=-1)

    def _bounded(self, lags: Any) -> Any:
        return ops.clip(ops.cast(lags, "int32"), 2, self.longest_lag)

    def _scored(self, skips: Any) -> Any:
        return self.scores(self.hidden(ops.relu(skips)))

    def silence(self, batch_size: int) -> dict[str, Any]:
        """Return the state before the first sample."""
        rings = [np.zeros((d, batch_size, self.filters), "float32") for d in self.dilations]
        # The samples of the longest period and one more to each side.
        past = np.zeros((self.longest_lag + 2, batch_size), "float32")
        return {"place": np.int32(0), "level": np.zeros(batch_size, "float32"), "rings": rings, "past": past}

    def generate(
        self,
        state: dict[str, Any],
        frames: Any,
        noise: Any,
        values: Any = None,
        temperature: Any = 1.0,
        lags: Any = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Draw the samples of some frames, one after another.

        Args:
            state: What `silence` or the call before this one returned.
            frames: `(batch_size, num_frames, num_features)`.
            noise: Uniform from 0 to 1, one a sample, which chooses its level:
                `(batch_size, num_frames * samples_per_frame)`.
            values: Of the levels, as `call` takes samples, float, `(num_levels,)`; evenly from -1 to 1 by
                default.
            temperature: Divides the scores: below 1 likely levels are drawn more often.
            lags: Where there is a longest lag: the period at each frame, int, `(batch_size, num_frames)`.

        Returns:
            The levels, int32, of the shape of `noise`, and the state after them.
        """
        if values is None:
            values = np.linspace(-1, 1, self.num_levels, dtype="float32")
        values = ops.convert_to_tensor(values)
        noise = ops.transpose(noise)
        lags = ops.transpose(self._bounded(lags)) if self.longest_lag else None
        # One product for all samples of a frame, and of all blocks.
        conditions = ops.stack([block.conditioned(frames) for block in self.blocks], axis=2)
        conditions = ops.transpose(conditions, (1, 2, 0, 3))

        def step(now: Any, carry: Any) -> Any:
            state, levels = carry
            frame = now // self.samples_per_frame
            lag = ops.take(lags, frame, axis=0) if self.longest_lag else None
            scores, state = self._next(state, ops.take(conditions, frame, axis=0), lag)
            level = drawn(ops.softmax(scores / temperature), ops.take(noise, now, axis=0))
            levels = ops.slice_update(levels, (now, 0), ops.expand_dims(level, 0))
            return {**state, "level": ops.take(values, level)}, levels

        begun = {name: state[name] for name in ("place", "level", "rings", "past")}
        begun = keras.tree.map_structure(ops.convert_to_tensor, begun)
        carry = (begun, ops.zeros_like(noise, dtype="int32"))
        state, levels = ops.fori_loop(0, ops.shape(noise)[0], step, carry)
        return ops.transpose(levels), state

    def _next(self, state: dict[str, Any], conditions: Any, lag: Any) -> tuple[Any, dict[str, Any]]:
        """Return the scores of the next sample, and the state with the sample before it put away.

        Args:
            state: As `silence` returns it.
            conditions: Of each block, `(num_blocks, batch_size, 2 * filters)`.
            lag: The period of the pitch, int, `(batch_size,)`, where there is a longest lag.
        """
        place, past = state["place"], state["past"]
        x = ops.expand_dims(state["level"], -1)
        if self.longest_lag:
            size = self.longest_lag + 2
            slot = (place + size - 1) % size
            past = ops.slice_update(past, (slot, 0), ops.expand_dims(state["level"], 0))
            slots = ops.stack([(place - lag + k + size) % size for k in AROUND])
            x = ops.concatenate([x, ops.transpose(ops.take_along_axis(past, slots, axis=0))], axis=-1)
        x = self.entry(x)
        total, rings = 0.0, []
        for number, (block, ring) in enumerate(zip(self.blocks, state["rings"], strict=True)):
            slot = place % block.dilation
            before = ops.take(ring, slot, axis=0)
            rings.append(ops.slice_update(ring, (slot, 0, 0), ops.expand_dims(x, 0)))
            x, skip = block.step(x, before, conditions[number])
            total = total + skip
        return self._scored(total), {**state, "place": place + 1, "rings": rings, "past": past}

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the scores."""
        return (*input_shape[0], self.num_levels)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        names = ("num_levels", "samples_per_frame", "filters", "skip_filters", "dilations", "longest_lag")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def drawn(chances: Any, noise: Any) -> Any:
    """Return the level that a number from 0 to 1 falls on, where each is as wide as it is likely.

    Args:
        chances: Float, adding up to 1, shape `(..., num_levels)`.
        noise: Float, from 0 to 1, shape `(...)`.

    Example:

    >>> drawn(keras.ops.array([[0.25, 0.5, 0.25]]), keras.ops.array([0.6])).numpy().tolist()
    [1]
    """
    below = ops.cumsum(chances, axis=-1) <= ops.expand_dims(noise, -1)
    return ops.minimum(ops.sum(ops.cast(below, "int32"), axis=-1), chances.shape[-1] - 1)

"""A linear-chain conditional random field: the tags of a sequence, each seen beside the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

FORBIDDEN = -1e4
"""The score of what may not be, which leaves no probability and is finite, so that gradients are too."""


@keras.saving.register_keras_serializable(package="quartet")
class CRF(keras.layers.Layer):
    """Scores of tags beside each other, with the exact loss, the best tags and the marginals.

    A call hands the emissions on as they are: the layer stands at the end of a net, so that the model has its
    weights, and the model's `compute_loss` asks for `negative_log_likelihood`.

    Args:
        num_tags: How many tags there are.
        allowed: Whether a tag may follow another, `num_tags` rows of `num_tags` (from, to); all may by
            default.
        first: Whether a sequence may begin with each tag, `num_tags`.
        last: Whether it may end with it, `num_tags`.

    Input shape:
        Emissions, float, `(batch_size, num_steps, num_tags)`.

    Output shape:
        The same.

    Reference:
        Lafferty, McCallum and Pereira, Conditional Random Fields (2001), section 3, with trained scores of
        the first and the last tag as in Lample et al., Neural Architectures for Named Entity Recognition
        (2016), section 2.2.

    Example:

    >>> crf = CRF(2, allowed=[[True, False], [True, True]])
    >>> emissions = ops.array([[[0.0, 1.0], [0.0, 0.0], [0.0, 1.0]]])
    >>> emissions = crf(emissions)
    >>> ops.convert_to_numpy(crf.best(emissions)).tolist()
    [[1, 1, 1]]
    """

    def __init__(
        self,
        num_tags: int,
        allowed: Sequence[Sequence[bool]] | None = None,
        first: Sequence[bool] | None = None,
        last: Sequence[bool] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        shapes = {"allowed": (num_tags, num_tags), "first": (num_tags,), "last": (num_tags,)}
        for (name, shape), value in zip(shapes.items(), (allowed, first, last), strict=True):
            if value is not None and np.shape(value) != shape:
                raise ValueError(f"{name} must have the shape {shape}. Received: {np.shape(value)}.")
        self.num_tags = num_tags
        self.allowed, self.first, self.last = (_as_list(value) for value in (allowed, first, last))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the scores, all 0 at first."""
        if input_shape[-1] != self.num_tags:
            raise ValueError(
                f"Emissions must have a score for each of {self.num_tags} tags. Received: {input_shape[-1]}."
            )
        square, line = (self.num_tags, self.num_tags), (self.num_tags,)
        self.transitions = self.add_weight(shape=square, initializer="zeros", name="transitions")
        self.starts = self.add_weight(shape=line, initializer="zeros", name="starts")
        self.ends = self.add_weight(shape=line, initializer="zeros", name="ends")

    def call(self, emissions: Any) -> Any:
        """Return the emissions."""
        return emissions

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape

    def scores(self) -> tuple[Any, Any, Any]:
        """Return the scores between tags, of the first and of the last, with what may not be forbidden.

        Returns:
            float32, shapes `(num_tags, num_tags)` (from, to), `(num_tags,)` and `(num_tags,)`.
        """
        weights = (self.transitions, self.starts, self.ends)
        limits = (self.allowed, self.first, self.last)
        transitions, starts, ends = (
            ops.cast(weight, "float32")
            if limit is None
            else ops.where(np.asarray(limit, bool), ops.cast(weight, "float32"), FORBIDDEN)
            for weight, limit in zip(weights, limits, strict=True)
        )
        return transitions, starts, ends

    def negative_log_likelihood(self, emissions: Any, tags: Any, mask: Any | None = None) -> Any:
        """Return how unlikely the tags of each sequence are, in nats.

        Args:
            emissions: `(batch_size, num_steps, num_tags)`.
            tags: int, `(batch_size, num_steps)`; what stands where the mask is false does not matter.
            mask: Whether there is a step, bool, `(batch_size, num_steps)`: the steps of a sequence come
                first, one at least; all are steps by default.

        Returns:
            float32, `(batch_size,)`.
        """
        emissions, steps = _prepared(emissions, mask)
        total = _log_partition(emissions, steps, *self.scores())
        return total - self._score(emissions, tags, steps)

    def best(self, emissions: Any, mask: Any | None = None) -> Any:
        """Return the likeliest tags of each sequence, found by Viterbi's algorithm.

        Args:
            emissions: `(batch_size, num_steps, num_tags)`.
            mask: As for `negative_log_likelihood`.

        Returns:
            int32, `(batch_size, num_steps)`; 0 where there is no step.
        """
        emissions, steps = _prepared(emissions, mask)
        transitions, starts, ends = self.scores()
        # As floats, since TensorFlow's scan gives what is of the type of its state.
        stay = ops.arange(self.num_tags, dtype="float32")[None]

        def step(state: Any, of_step: Any) -> tuple[Any, Any]:
            emission, is_step = of_step[:, :-1], of_step[:, -1:]
            scores = state[:, :, None] + transitions[None]
            moved = ops.max(scores, axis=1) + emission
            came_from = ops.cast(ops.argmax(scores, axis=1), "float32")
            there = is_step > 0
            return ops.where(there, moved, state), ops.where(there, came_from, stay)

        start = starts[None] + emissions[:, 0]
        state, pointers = ops.scan(step, start, _after_first(emissions, steps))
        last = ops.cast(ops.argmax(state + ends[None], axis=-1), "int32")

        def step_back(tag: Any, came_from: Any) -> tuple[Any, Any]:
            before = ops.squeeze(ops.take_along_axis(came_from, tag[:, None], axis=1), 1)
            before = ops.cast(before, "int32")
            return before, before

        _, earlier = ops.scan(step_back, last, pointers, reverse=True)
        tags = ops.transpose(ops.concatenate([earlier, last[None]], axis=0))
        return tags * ops.cast(steps, "int32")

    def marginals(self, emissions: Any, mask: Any | None = None) -> Any:
        """Return the probability of each tag at each step, over all ways to tag its sequence.

        Args:
            emissions: `(batch_size, num_steps, num_tags)`.
            mask: As for `negative_log_likelihood`.

        Returns:
            float32, `(batch_size, num_steps, num_tags)`; 0 where there is no step.
        """
        emissions, steps = _prepared(emissions, mask)
        forward, backward, total = _sums(emissions, steps, *self.scores())
        logs = ops.transpose(forward + backward, (1, 0, 2))
        return ops.exp(logs - total[:, None, None]) * steps[:, :, None]

    def _score(self, emissions: Any, tags: Any, steps: Any) -> Any:
        transitions, starts, ends = self.scores()
        chosen = ops.one_hot(ops.cast(tags, "int32"), self.num_tags, dtype="float32") * steps[:, :, None]
        emitted = ops.sum(emissions * chosen, axis=(1, 2))
        moved = ops.sum(ops.matmul(chosen[:, :-1], transitions) * chosen[:, 1:], axis=(1, 2))
        is_last = steps - ops.concatenate([steps[:, 1:], ops.zeros_like(steps[:, :1])], axis=1)
        ended = ops.sum(chosen * is_last[:, :, None] * ends, axis=(1, 2))
        return emitted + moved + ops.sum(chosen[:, 0] * starts, axis=-1) + ended

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        config = {
            "num_tags": self.num_tags,
            "allowed": self.allowed,
            "first": self.first,
            "last": self.last,
        }
        return {**super().get_config(), **config}


def _as_list(value: Any) -> Any:
    return None if value is None else np.asarray(value, bool).tolist()


def _prepared(emissions: Any, mask: Any | None) -> tuple[Any, Any]:
    """Return emissions in single precision, and 1 at each step and 0 elsewhere, `(batch_size, num_steps)`."""
    emissions = ops.cast(emissions, "float32")
    steps = ops.ones_like(emissions[:, :, 0]) if mask is None else ops.cast(mask, "float32")
    return emissions, steps


def _after_first(emissions: Any, steps: Any) -> Any:
    """Return the emissions of all steps after the first with whether they are steps beside them, steps first.

    They are one array, since Keras scans several on TensorFlow only where it knows how many steps there are.
    """
    beside = ops.concatenate([emissions, steps[:, :, None]], axis=-1)
    return ops.transpose(beside[:, 1:], (1, 0, 2))


def _forward(emissions: Any, steps: Any, transitions: Any, starts: Any) -> Any:
    """Return the log of the sum over all tags up to each step, `(num_steps, batch_size, num_tags)`."""

    def step(state: Any, of_step: Any) -> tuple[Any, Any]:
        emission, is_step = of_step[:, :-1], of_step[:, -1:]
        moved = ops.logsumexp(state[:, :, None] + transitions[None], axis=1) + emission
        state = ops.where(is_step > 0, moved, state)
        return state, state

    start = starts[None] + emissions[:, 0]
    _, states = ops.scan(step, start, _after_first(emissions, steps))
    return ops.concatenate([start[None], states], axis=0)


def _backward(emissions: Any, steps: Any, transitions: Any, ends: Any) -> Any:
    """Return the log of the sum over all tags after each step, `(num_steps, batch_size, num_tags)`."""

    def step(state: Any, of_step: Any) -> tuple[Any, Any]:
        emission, is_step = of_step[:, :-1], of_step[:, -1:]
        moved = ops.logsumexp(transitions[None] + (emission + state)[:, None, :], axis=2)
        state = ops.where(is_step > 0, moved, state)
        return state, state

    end = ends[None] + ops.zeros_like(emissions[:, 0])
    _, states = ops.scan(step, end, _after_first(emissions, steps), reverse=True)
    return ops.concatenate([states, end[None]], axis=0)


def _sums(emissions: Any, steps: Any, transitions: Any, starts: Any, ends: Any) -> tuple[Any, Any, Any]:
    """Return the sums up to each step, those after it, and the sum over all tags of each sequence."""
    forward = _forward(emissions, steps, transitions, starts)
    backward = _backward(emissions, steps, transitions, ends)
    return forward, backward, ops.logsumexp(forward[-1] + ends[None], axis=-1)


@ops.custom_gradient
def _log_partition(emissions: Any, steps: Any, transitions: Any, starts: Any, ends: Any) -> Any:
    """Return the log of the sum over all ways to tag each sequence, `(batch_size,)`.

    Its gradient is the marginals, which need no way back through the loop: XLA can't compile one whose number
    of steps it does not know.
    """
    forward = _forward(emissions, steps, transitions, starts)
    total = ops.logsumexp(forward[-1] + ends[None], axis=-1)

    def gradient(*args: Any, upstream: Any = None) -> tuple[Any, ...]:
        upstream = args[0] if upstream is None else upstream
        backward = _backward(emissions, steps, transitions, ends)
        of_steps = ops.transpose(steps)[:, :, None] * upstream[None, :, None]
        shares = ops.exp(forward + backward - total[None, :, None]) * of_steps
        after = ops.transpose(emissions, (1, 0, 2))[1:] + backward[1:] - total[None, :, None]
        pairs = ops.exp(forward[:-1, :, :, None] + transitions + after[:, :, None, :])
        of_transitions = ops.sum(pairs * of_steps[1:, :, :, None], axis=(0, 1))
        at_end = ops.exp(forward[-1] + ends[None] - total[:, None]) * upstream[:, None]
        return (
            ops.transpose(shares, (1, 0, 2)),
            ops.zeros_like(steps),
            of_transitions,
            ops.sum(shares[0], axis=0),
            ops.sum(at_end, axis=0),
        )

    return total, gradient

"""Losses for labels that are not aligned with the frames they were spoken or written in."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.losses.labels import LabelLoss, known_labels

# Far below the logarithm of any probability, yet finite, so no difference of two of them is NaN.
IMPOSSIBLE = -1e30


@keras.saving.register_keras_serializable(package="quartet")
class CTC(LabelLoss):
    """Connectionist temporal classification with the true number of frames and labels of each example.

    The negative logarithm of the summed probability of all alignments of the labels with the frames. An
    example that has too few frames for its labels (see `ctc_feasible`) costs 0 and has a gradient of 0; count
    such examples and drop them where the data is read, as they still count in the mean.

    `keras.losses.CTC` takes padding frames for speech. Below it, `keras.ops.ctc_loss` makes an impossible
    step of an alignment a likely one, at a cost of 707 on TensorFlow and of 1e5 on JAX, so on TensorFlow
    a long text that the model does not expect yet costs too little and teaches nothing (keras 3.15.1). Here
    an impossible step stays impossible, and both backends agree.

    Keras passes masks through recurrent layers but not through convolutions, so the number of frames comes
    with the labels, in the first column of `y_true`: `np.concatenate([num_frames[:, None], labels], axis=1)`.
    It is the number at the output of the model, after strides. Masks of `y_pred` are not looked at.

    Args:
        blank_index: The class that stands for "no label".
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        dtype: Dtype of the result, whatever that of the model; the computation is at least in float32.

    Call arguments:
        y_true: Integers of shape `(batch, 1 + max_labels)`: the number of frames, then the labels in `[0,
            num_classes)`, padded at the end with `blank_index` or with any number below 0. A number beyond
            `max_frames` stands for all frames that there are. A label that is no class is refused, or makes
            the loss NaN within a compiled function, which can't look at it, on every backend.
        y_pred: Logits of shape `(batch, max_frames, num_classes)`.

    Raises:
        ValueError: The shapes do not fit together, or a label is no class outside of a compiled function.

    Reference:
        Graves et al., 2006, Connectionist Temporal Classification, section 4.1

    Example:

    >>> loss = CTC(blank_index=0)
    >>> logits = keras.ops.zeros((1, 5, 2))
    >>> round(float(loss([[2, 1, 0]], logits)), 4)  # 2 frames, label 1: 3 alignments of probability 1/4
    0.2877
    """

    def __init__(
        self,
        blank_index: int = 0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ctc",
        dtype: str = "float32",
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.blank_index = blank_index

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss; a dictionary hides the mask of frames, by which Keras would multiply."""
        return super().__call__(y_true, {"logits": y_pred}, sample_weight)

    def call(self, y_true: Any, y_pred: dict[str, Any]) -> Any:
        """Return the loss of each example, of shape `(batch,)`."""
        y_true, logits = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred["logits"])
        if len(y_true.shape) != 2 or len(logits.shape) != 3:
            raise ValueError(
                "`y_true` must have shape (batch, 1 + max_labels) and `y_pred` shape (batch, max_frames, "
                f"num_classes). Received: y_true.shape={y_true.shape}, y_pred.shape={logits.shape}"
            )
        y_true = ops.cast(y_true, "int32")
        labels = y_true[:, 1:]
        num_frames = ops.minimum(y_true[:, 0], ops.shape(logits)[1])
        known = known_labels(ops.maximum(labels, 0), logits.shape[-1])
        labels = ops.where(known, labels, self.blank_index)
        losses = ctc(labels, ops.log_softmax(logits, axis=-1), num_frames, self.blank_index)
        losses = ops.where(ctc_feasible(labels, num_frames, self.blank_index), losses, 0.0)
        return ops.where(ops.all(known, axis=-1), losses, float("nan"))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this loss again."""
        return {**super().get_config(), "blank_index": self.blank_index}


def ctc_feasible(labels: Any, num_frames: Any, blank_index: int = 0) -> Any:
    """Return which examples have enough frames for their labels: one each, and one more between equal ones.

    Args:
        labels: Integers of shape `(batch, max_labels)`, padded at the end with `blank_index` or with any
            number below 0.
        num_frames: Integers of shape `(batch,)`, the frames at the output of the model.
        blank_index: The class that stands for "no label".

    Returns:
        Booleans of shape `(batch,)`.

    Example:

    >>> keras.ops.convert_to_numpy(ctc_feasible([[1, 1], [1, 2]], [2, 2])).tolist()
    [False, True]
    """
    labels = ops.convert_to_tensor(labels, dtype="int32")
    is_label = _is_label(labels, blank_index)
    repeats = ops.logical_and(ops.equal(labels[:, 1:], labels[:, :-1]), is_label[:, 1:])
    needed = ops.sum(ops.cast(is_label, "int32"), axis=1) + ops.sum(ops.cast(repeats, "int32"), axis=1)
    return needed <= ops.convert_to_tensor(num_frames, dtype="int32")


def ctc(labels: Any, log_p: Any, num_frames: Any, blank_index: int) -> Any:
    """Return the negative log-likelihood of labels, summed over all their alignments with the frames.

    The gradient is that of equation 15, from the posterior of each state at each frame, so no backend
    has to differentiate a loop, which TensorFlow cannot do under XLA. A second derivative is not that of the
    loss.

    Args:
        labels: int32 of shape `(batch, max_labels)`, padded at the end as in `ctc_feasible`.
        log_p: Logarithms of class probabilities, of shape `(batch, max_frames, num_classes)`.
        num_frames: int32 of shape `(batch,)`.
        blank_index: The class that stands for "no label".

    Returns:
        Floats of shape `(batch,)`; 1e30 and more where the labels are impossible.
    """
    states = _with_blanks(labels, blank_index)
    emission = ops.take_along_axis(log_p, ops.expand_dims(states, axis=1), axis=-1)
    emission = ops.transpose(ops.maximum(emission, IMPOSSIBLE), (1, 0, 2))
    is_frame = ops.expand_dims(ops.arange(ops.shape(emission)[0], dtype="int32"), axis=1) < num_frames
    is_frame = ops.expand_dims(is_frame, axis=-1)
    is_end = _is_end(labels, states, blank_index)

    fixed = ops.stop_gradient(emission)
    forward, backward = _path_scores(states, fixed, is_frame, is_end, blank_index)
    log_likelihood = ops.logsumexp(ops.where(is_end, forward[-1], IMPOSSIBLE), axis=-1)
    posterior = ops.where(is_frame, ops.softmax(forward + backward, axis=-1), 0.0)
    expected = ops.sum(posterior * emission, axis=(0, 2))
    return ops.stop_gradient(expected - log_likelihood) - expected


def _path_scores(states: Any, emission: Any, is_frame: Any, is_end: Any, blank_index: int) -> tuple[Any, Any]:
    """Return the log-probability of all paths up to each state and frame, and from there to the end.

    Both have shape `(max_frames, batch, num_states)`. The emission of a frame is part of the first alone.
    """
    # A label may follow the one before without a blank between them, unless both are equal.
    is_repeat = ops.equal(states, _shift(states, 2, blank_index))
    skip = _log(ops.logical_not(ops.logical_or(is_repeat, ops.equal(states, blank_index))), emission.dtype)

    def step_forward(score: Any, frame: Any) -> tuple[Any, Any]:
        frame_emission, frame_counts = frame[:, :-1], frame[:, -1:] > 0
        ways = [score, _shift(score, 1, IMPOSSIBLE), _shift(score, 2, IMPOSSIBLE) + skip]
        score = ops.where(frame_counts, ops.logsumexp(ops.stack(ways), axis=0) + frame_emission, score)
        return score, score

    def step_backward(score: Any, frame: Any) -> tuple[Any, Any]:
        frame_emission, frame_counts = frame[:, :-1], frame[:, -1:] > 0
        after = score + frame_emission
        ways = [after, _shift(after, -1, IMPOSSIBLE), _shift(after + skip, -2, IMPOSSIBLE)]
        return ops.where(frame_counts, ops.logsumexp(ops.stack(ways), axis=0), score), score

    # Before the first frame a path stands on the first blank.
    is_start = ops.equal(ops.arange(ops.shape(states)[1], dtype="int32"), 0)
    start = ops.broadcast_to(_log(is_start, emission.dtype), ops.shape(states))
    end = _log(is_end, emission.dtype)
    # One tensor, because on TensorFlow `ops.scan` refuses two whose length is unknown (keras 3.15.1).
    frames = ops.concatenate([emission, ops.cast(is_frame, emission.dtype)], axis=-1)
    _, forward = ops.scan(step_forward, start, frames)
    _, backward = ops.scan(step_backward, end, frames, reverse=True)
    return forward, backward


def _is_label(labels: Any, blank_index: int) -> Any:
    return ops.logical_and(labels >= 0, ops.not_equal(labels, blank_index))


def _with_blanks(labels: Any, blank_index: int) -> Any:
    """Return the states of an alignment: the labels with a blank before, between and after them."""
    labels = ops.where(_is_label(labels, blank_index), labels, blank_index)
    pairs = ops.stack([ops.full_like(labels, blank_index), labels], axis=2)
    states = ops.reshape(pairs, (-1, 2 * ops.shape(labels)[1]))
    return ops.pad(states, ((0, 0), (0, 1)), constant_values=blank_index)


def _is_end(labels: Any, states: Any, blank_index: int) -> Any:
    """Return in which states an alignment may end: the last label, and the blank after it."""
    num_labels = ops.sum(ops.cast(_is_label(labels, blank_index), "int32"), axis=1, keepdims=True)
    state = ops.arange(ops.shape(states)[1], dtype="int32")
    return ops.logical_or(ops.equal(state, 2 * num_labels), ops.equal(state, 2 * num_labels - 1))


def _log(allowed: Any, dtype: str) -> Any:
    """Return the logarithm of 1 where something is allowed, and of next to nothing elsewhere."""
    return ops.cast(ops.logical_not(allowed), dtype) * IMPOSSIBLE


def _shift(values: Any, places: int, fill: float) -> Any:
    """Return the columns moved to the right, or to the left if `places` is negative."""
    if places > 0:
        return ops.pad(values[:, :-places], ((0, 0), (places, 0)), constant_values=fill)
    return ops.pad(values[:, -places:], ((0, 0), (0, -places)), constant_values=fill)

"""How a score is divided among the values of an input, and how far the division can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import UserError

if TYPE_CHECKING:
    import keras

Score = Callable[[Any], Any]
CHUNK = 32  # points of a path at a time


def explain(
    model: keras.Model,
    inputs: Any,
    target: int | None = None,
    *,
    layer: str | None = None,
    baseline: np.ndarray | None = None,
    steps: int = 64,
) -> tuple[np.ndarray, float]:
    """Return integrated gradients of one input of a classifier that returns logits.

    Args:
        model: Functional, with one input and logits of shape `(batch_size, num_classes)`.
        inputs: One input, shape `(1, ...)`.
        target: The class to explain; by default the likeliest.
        layer: Explain the output of this layer in place of the input, such as an embedding of integers.
        baseline: What stands for nothing, of the shape of what is explained; zeros by default.
        steps: Points of the path.

    Returns:
        What each number adds to the log-odds of the target, of the shape of what is explained without the
        batch; and the gap, the share of the change in score that they leave unexplained.

    Reference:
        Sundararajan, Taly and Yan, 2017, Axiomatic Attribution for Deep Networks, equation 1

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="identity")])
    >>> adds, gap = explain(model, np.array([[3.0, 1.0]], "float32"), target=0)
    >>> adds.round(2).tolist(), round(gap, 3)
    ([3.0, -1.0], 0.0)
    """
    values, score = opened(model, inputs, layer)
    if target is None:
        target = int(np.argmax(predicted(model, inputs)[0]))
    empty = np.zeros_like(values[0]) if baseline is None else np.asarray(baseline, values.dtype)
    return integrated_gradients(lambda points: log_odds(score(points), target), values[0], empty, steps)


def predicted(model: keras.Model, inputs: Any) -> np.ndarray:
    """Return what a model says of a batch, float32."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(model(inputs, training=False)), np.float32)


def opened(model: keras.Model, inputs: Any, layer: str | None) -> tuple[np.ndarray, Score]:
    """Return what a layer says of one input, and the rest of the model as a function of it.

    Args:
        model: Functional, with one input.
        inputs: One input, shape `(1, ...)`.
        layer: Whose output is asked for; none for the input itself.

    Returns:
        Values, float32, shape `(1, ...)`; and the function from a batch of such values to the model's output.

    Raises:
        UserError: There is no such layer.
    """
    import keras
    from keras import ops

    if layer is None:
        values = np.asarray(ops.convert_to_numpy(inputs), np.float32)
        return values, lambda points: model(points, training=False)
    try:
        inner = model.get_layer(layer).output
    except ValueError:
        names = ", ".join(each.name for each in model.layers)
        raise UserError(f"The model has no layer {layer!r}. It has {names}.") from None
    values = predicted(keras.Model(model.inputs[0], inner), inputs)
    # The inputs stay with the rest: a mask may come from them past the layer.
    rest = keras.Model([inner, *model.inputs], model.outputs[0])
    given = ops.convert_to_tensor(inputs)

    def score(points: Any) -> Any:
        copies = ops.repeat(given, ops.shape(points)[0], axis=0)
        return rest([points, copies], training=False)

    return values, score


def log_odds(logits: Any, target: int) -> Any:
    """Return the logarithm of a class' probability by that of all others, shape `(batch_size,)`."""
    from keras import ops

    others = ops.concatenate([logits[:, :target], logits[:, target + 1 :]], axis=1)
    return logits[:, target] - ops.logsumexp(others, axis=1)


def integrated_gradients(
    score: Score, values: np.ndarray, baseline: np.ndarray, steps: int = 64
) -> tuple[np.ndarray, float]:
    """Return what each value adds to a score, on the straight way from a baseline.

    Args:
        score: From values, shape `(num_points, ...)`, to numbers, shape `(num_points,)`.
        values: Shape `(...)`.
        baseline: Of the same shape.
        steps: Points of the way, each in the middle of its part.

    Returns:
        Attributions of the same shape, and the gap: how far their sum is from the change in score, by that
        change.

    Reference:
        Sundararajan, Taly and Yan, 2017, Axiomatic Attribution for Deep Networks, equations 1 and 3
    """
    shares = (np.arange(steps) + 0.5) / steps
    path = baseline + shares.reshape(-1, *[1] * values.ndim) * (values - baseline)
    slopes = [gradient(score, part) for part in np.array_split(path.astype(np.float32), -(-steps // CHUNK))]
    adds = (values - baseline) * np.concatenate(slopes).mean(axis=0)
    ends = scored(score, np.stack([baseline, values]).astype(np.float32))
    change = float(ends[1] - ends[0])
    return adds, abs(float(adds.sum()) - change) / max(abs(change), 1e-6)


def scored(score: Score, values: np.ndarray) -> np.ndarray:
    """Return a score of each of many values, float64, a part at a time."""
    from keras import ops

    parts = np.array_split(values, -(-len(values) // CHUNK))
    return np.concatenate(
        [np.asarray(ops.convert_to_numpy(score(ops.convert_to_tensor(part)))) for part in parts]
    )


def gradient(score: Score, values: np.ndarray) -> np.ndarray:
    """Return the gradient of the sum of scores with respect to the values, on TensorFlow or JAX.

    Raises:
        UserError: The backend is neither.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        points = tf.convert_to_tensor(values)
        with tf.GradientTape() as tape:
            tape.watch(points)
            total = tf.reduce_sum(score(points))
        return np.asarray(tf.convert_to_tensor(tape.gradient(total, points)))
    if backend == "jax":
        import jax

        return np.asarray(jax.grad(lambda points: score(points).sum())(values))
    raise UserError(f"Explanations need the TensorFlow or the JAX backend. Received: {backend}.")


def grad_cam(score: Score, maps: np.ndarray) -> np.ndarray:
    """Return where a picture's maps speak for a class: each point by its own gradient.

    Grad-CAM in the form that is faithful to maps which are not the last: with the gradients' mean over the
    picture in place of each point's own (Selvaraju et al., 2017), taking away what matters most on the digits
    of the sample lowers the score no sooner than chance. Before a global mean both are the same.

    Args:
        score: From maps, shape `(num_points, height, width, channels)`, to the score.
        maps: Of one picture, shape `(height, width, channels)`.

    Returns:
        At least 0, shape `(height, width)`.

    Reference:
        Draelos and Carin, 2020, Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional
        neural networks, equation 4
    """
    gradients = gradient(score, maps[None].astype(np.float32))[0]
    return np.maximum((maps * gradients).sum(axis=-1), 0.0)


def occlusion(score: Score, values: np.ndarray, baseline: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return how much a score falls when each part is replaced by the baseline, alone.

    Args:
        score: From values to numbers.
        values: Shape `(...)`.
        baseline: Of the same shape.
        masks: Which values each part holds, bool, shape `(num_parts, ...)`.

    Returns:
        Shape `(num_parts,)`.

    Reference:
        Zeiler and Fergus, 2014, Visualizing and Understanding Convolutional Networks, section 4.2
    """
    covered = np.where(masks, baseline, values).astype(np.float32)
    whole = scored(score, values[None].astype(np.float32))[0]
    return whole - scored(score, covered)


def deletion_gain(
    score: Score,
    values: np.ndarray,
    baseline: np.ndarray,
    masks: np.ndarray,
    adds: np.ndarray,
    num_random: int = 8,
    num_steps: int = 20,
) -> float:
    """Return how much lower the score lies while the most important parts go first than in random order.

    Args:
        score: From values to numbers.
        values: Shape `(...)`.
        baseline: What replaces a part that is taken away.
        masks: Which values each part holds, bool, shape `(num_parts, ...)`.
        adds: What each part adds, shape `(num_parts,)`.
        num_random: Random orders to compare with.
        num_steps: Points of the curve, at most.

    Returns:
        The mean distance between the two curves, by the whole change of the score; above 0 the order is
        better than chance, and 0.5 is a great deal.

    Reference:
        Petsiuk, Das and Saenko, 2018, RISE: Randomized Input Sampling for Explanation of Black-box Models,
        section 4.2 (the deletion metric)
    """
    generator = np.random.default_rng(0)
    ends = scored(score, np.stack([values, baseline]).astype(np.float32))
    counts = np.unique(np.linspace(0, len(masks), num_steps + 1).astype(int))

    def curve(order: np.ndarray) -> float:
        gone = [masks[order[:count]].any(axis=0) for count in counts]
        return float(scored(score, np.where(np.stack(gone), baseline, values).astype(np.float32)).mean())

    chance = np.mean([curve(generator.permutation(len(masks))) for _ in range(num_random)])
    return float(chance - curve(np.argsort(-adds))) / max(abs(float(ends[0] - ends[1])), 1e-6)

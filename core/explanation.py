"""Why a model gave an answer: what each part of an input adds to the score of what was answered."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import UserError

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

Score = Callable[[Any], Any]
Draw = Callable[["Figure"], None]
CHUNK = 32  # points of a path at a time


@dataclass(frozen=True)
class Part:
    """A part of an input that a person can name, and what it adds to the score.

    Args:
        name: A word, a rated film, a stretch of time.
        adds: To the score; below 0 it speaks against the answer.
        details: Whatever else says which part it is.
    """

    name: str
    adds: float
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why one input got its answer.

    Args:
        answer: What `predict` says of the input.
        target: What is explained: a label, an item.
        score: The model's score of the target.
        method: How the score was divided.
        parts: Of the input, in its order.
        checks: How far the division can be trusted: `gap` is the share of the score's change that the parts
            leave unexplained, `deletion` how much faster the score falls when the parts that matter most are
            taken away first, than when they are taken away at random.
        draw: Draws the explanation into an empty figure.
        more: Whatever else a task tells.
    """

    answer: dict[str, Any]
    target: str
    score: float
    method: str
    parts: Sequence[Part]
    checks: dict[str, float]
    draw: Draw
    more: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        return {
            "answer": self.answer,
            "target": self.target,
            "score": round(self.score, 6),
            "method": self.method,
            "parts": [
                {"name": part.name, "adds": round(part.adds, 6), **part.details} for part in self.parts
            ],
            "checks": {name: round(value, 4) for name, value in self.checks.items()},
            **self.more,
        }

    def png(self) -> bytes:
        """Return the picture."""
        from matplotlib.figure import Figure

        figure = Figure(layout="constrained", dpi=120)
        self.draw(figure)
        file = io.BytesIO()
        figure.savefig(file, format="png")
        return file.getvalue()


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


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What the parts of a classifier's input are, and how an explanation of it is drawn.

    Args:
        layer: Whose output is explained; none for the input itself.
        parts: From the values there, of one input, to the names of the parts and their masks, bool, shape
            `(num_parts, ...)`. Parts may overlap: what they share is divided among them.
        draw: Draws into a figure: the values, what each of them adds, and the parts.
        maps: The layer whose maps Grad-CAM weighs; none where there are none.
    """

    layer: str | None
    parts: Callable[[np.ndarray], tuple[list[str], np.ndarray]]
    draw: Callable[[Figure, np.ndarray, np.ndarray, Sequence[Part]], None]
    maps: str | None = None


METHODS = ("integrated_gradients", "occlusion", "grad_cam")


def explained(
    model: keras.Model,
    inputs: Any,
    anatomy: Anatomy,
    target: tuple[int, str],
    answer: dict[str, Any],
    method: str | None = None,
) -> Explanation:
    """Return why a classifier gave one input its answer.

    Args:
        model: From inputs to logits.
        inputs: One input, shape `(1, ...)`.
        anatomy: What its parts are.
        target: Index and name of the class that is explained.
        answer: What `predict` says.
        method: One of `METHODS`; integrated gradients by default.

    Raises:
        UserError: The model has nothing that the method could look at.
    """
    method = method or METHODS[0]
    if method not in METHODS or (method == "grad_cam" and anatomy.maps is None):
        known = [name for name in METHODS if name != "grad_cam" or anatomy.maps]
        raise UserError(f"This model is explained by {', '.join(known)}. Received: {method!r}.")
    values, whole = opened(model, inputs, anatomy.layer)
    value, baseline = values[0], np.zeros_like(values[0])

    def score(points: Any) -> Any:
        return log_odds(whole(points), target[0])

    names, masks = anatomy.parts(value)
    checks: dict[str, float] = {}
    if method == "grad_cam":
        adds = _resized(_cam(model, inputs, anatomy.maps or "", target[0]), value.shape[:2])
        adds = np.broadcast_to(adds[..., None] / value.shape[-1], value.shape)
    elif method == "occlusion":
        adds = _spread(occlusion(score, value, baseline, masks), masks)
    else:
        adds, checks["gap"] = integrated_gradients(score, value, baseline)
    sharing = np.maximum(masks.sum(axis=0), 1)
    shares = [float((mask * adds / sharing).sum()) for mask in masks]
    checks["deletion"] = deletion_gain(score, value, baseline, masks, np.array(shares))
    parts = [Part(name, share) for name, share in zip(names, shares, strict=True)]
    return Explanation(
        answer=answer,
        target=target[1],
        score=float(scored(score, value[None])[0]),
        method=method,
        parts=parts,
        checks=checks,
        draw=lambda figure: anatomy.draw(figure, value, adds, parts),
    )


def _cam(model: keras.Model, inputs: Any, maps: str, target: int) -> np.ndarray:
    values, rest = opened(model, inputs, maps)
    return grad_cam(lambda points: log_odds(rest(points), target), values[0])


def _resized(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from scipy.ndimage import zoom

    return zoom(picture, [new / old for new, old in zip(shape, picture.shape, strict=True)], order=1)


def _spread(falls: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return what each value adds, where all values of a part add the same."""
    sizes = masks.reshape(len(masks), -1).sum(axis=1)
    each = falls / np.maximum(sizes, 1)
    return np.tensordot(each, masks.astype(np.float64), axes=1)


def grid(shape: Sequence[int], cells: Sequence[int]) -> list[tuple[slice, ...]]:
    """Return the cells of a grid over the first axes of an array, the last axis running fastest.

    Args:
        shape: Sizes of these axes.
        cells: How many cells along each, at most as many as the axis is long.

    Example:

    >>> grid((4,), (2,))
    [(slice(0, 2, None),), (slice(2, 4, None),)]
    """
    from itertools import pairwise, product

    edges = [np.linspace(0, size, count + 1).astype(int) for size, count in zip(shape, cells, strict=True)]
    along = [[slice(int(start), int(end)) for start, end in pairwise(edge)] for edge in edges]
    return list(product(*along))


def draw_bars(panel: Any, parts: Sequence[Part], label: str) -> None:
    """Draw what parts add as bars, the first on top: blue speaks for, orange against."""
    parts = list(parts)[::-1]
    colours = ["#0072B2" if part.adds >= 0 else "#D55E00" for part in parts]
    panel.barh(range(len(parts)), [part.adds for part in parts], color=colours)
    panel.set_yticks(
        range(len(parts)), [part.name if len(part.name) < 40 else part.name[:39] + "…" for part in parts]
    )
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set_xlabel(label)
    panel.spines[["top", "right"]].set_visible(False)

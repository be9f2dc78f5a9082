"""Why a model gave an answer: what each part of an input adds to the score of what was answered."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import MethodError
from core.task.attribution import (
    deletion_gain,
    grad_cam,
    integrated_gradients,
    log_odds,
    occlusion,
    opened,
    scored,
)

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure

Draw = Callable[["Figure"], None]


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
        MethodError: The model has nothing that the method could look at.
    """
    method = method or METHODS[0]
    if method not in METHODS or (method == "grad_cam" and anatomy.maps is None):
        known = [name for name in METHODS if name != "grad_cam" or anatomy.maps]
        raise MethodError(f"This model is explained by {', '.join(known)}. Received: {method!r}.")
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

"""From what a detector says of every place to the boxes of a picture, in NumPy, for run and exports alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from apps.vision.boxes.letterbox import Letterbox, Size
from apps.vision.boxes.suppression import suppressed

STRIDES = (8, 16, 32)
NUM_BINS = 16
MOST_CANDIDATES = 1000  # of a picture that are suppressed, the surest
MOST_BOXES = 300  # of a picture
LEAST_SCORE = 0.001  # of what is judged
OVERLAP = 0.6  # of two boxes of a class, from which on the less sure one is left out


def places(shape: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles `(x, y)` of the places of all levels, in pixels, and their strides.

    Args:
        shape: Height and width of the pictures that the net takes.
    """
    middles, strides = [], []
    for stride in STRIDES:
        rows, columns = (math.ceil(side / stride) for side in shape)
        y, x = np.mgrid[:rows, :columns]
        middles.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        strides.append(np.full(rows * columns, float(stride)))
    return np.concatenate(middles), np.concatenate(strides)


def of_places(output: np.ndarray, shape: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return the box and the probabilities of the classes that each place of one picture predicts.

    Args:
        output: Logits of the distances to the four sides and of the classes, float32, shape
            `(num_places, 4 * NUM_BINS + num_classes)`.
        shape: Height and width of the picture that the net took.

    Returns:
        Boxes in pixels, `(num_places, 4)`, and probabilities, `(num_places, num_classes)`, float64.
    """
    middles, strides = places(shape)
    bins = output[:, : 4 * NUM_BINS].reshape(-1, 4, NUM_BINS).astype(np.float64)
    weights = np.exp(bins - bins.max(axis=-1, keepdims=True))
    distances = (weights @ np.arange(NUM_BINS)) / weights.sum(axis=-1) * strides[:, None]
    boxes = np.concatenate([middles - distances[:, :2], middles + distances[:, 2:]], axis=1)
    return boxes, 1 / (1 + np.exp(-output[:, 4 * NUM_BINS :].astype(np.float64)))


def of_proposals(boxes: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes and the probabilities of the classes of the proposals of one picture.

    Args:
        boxes: In pixels, float32, shape `(num_proposals, 4)`.
        logits: Of the classes and, last, of the background, `(num_proposals, num_classes + 1)`.
    """
    shares = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return boxes.astype(np.float64), (shares / shares.sum(axis=1, keepdims=True))[:, :-1]


def boxes_of(
    boxes: np.ndarray,
    probabilities: np.ndarray,
    labels: Sequence[str],
    fitted: Letterbox,
    *,
    confidence: float,
    overlap: float,
    soft: bool = False,
) -> list[dict[str, Any]]:
    """Return the objects of one picture, the surest first, in its own pixels.

    Args:
        boxes: Candidates in the pixels of the net, shape `(num_candidates, 4)`; or one for each class,
            `(num_candidates, num_classes, 4)`.
        probabilities: Of each class, shape `(num_candidates, num_classes)`.
        labels: Names of the classes.
        fitted: How the picture lies in what the net took.
        confidence: Of the objects, at least.
        overlap: With a surer box of the class, at most.
        soft: Lower the scores of such boxes instead.
    """
    rows, classes = np.nonzero(probabilities >= confidence)
    scores = probabilities[rows, classes]
    surest = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    rows, classes, scores = rows[surest], classes[surest], scores[surest]
    own = fitted.boxes_out(boxes[rows, classes] if boxes.ndim == 3 else boxes[rows])
    has_area = (own[:, 2] > own[:, 0]) & (own[:, 3] > own[:, 1])
    own, classes, scores = own[has_area], classes[has_area], scores[has_area]
    kept, scores = suppressed(own, scores, classes, overlap=overlap, soft=soft)
    return [
        {
            "label": labels[classes[row]],
            "box": [round(float(side), 4) for side in own[row]],
            "score": round(float(score), 6),
        }
        for row, score in zip(kept[:MOST_BOXES], scores, strict=False)
        if score >= confidence
    ]


def answer_of(
    candidates: tuple[np.ndarray, np.ndarray], labels: Sequence[str], fitted: Letterbox, **asked: Any
) -> dict[str, Any]:
    """Return the answer for one picture: its boxes and its size, as `core.answers.boxes` has them."""
    return {"boxes": boxes_of(*candidates, labels, fitted, **asked), "size": list(fitted.size)}


def candidates_of(outputs: Mapping[str, np.ndarray], shape: Size) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the boxes and the probabilities of the candidates of each picture.

    Args:
        outputs: Of the graph, by name.
        shape: Height and width of the pictures that it took.
    """
    if "places" in outputs:
        return [of_places(each, shape) for each in outputs["places"]]
    return [of_proposals(*each) for each in zip(outputs["boxes"], outputs["classes"], strict=True)]

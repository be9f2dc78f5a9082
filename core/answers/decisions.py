"""From probabilities to answers; needs NumPy alone, so that exports can take it along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def decided(
    probabilities: np.ndarray, labels: Sequence[str], label: str | None = None, threshold: float | None = None
) -> np.ndarray:
    """Return the index of the class that each row is answered with.

    Args:
        probabilities: Shape `(num_examples, num_labels)`; rows sum to 1.
        labels: The names of the columns.
        label: A class that is predicted from its `threshold` upwards, never below; by default, the likeliest.
        threshold: 0 to 1.

    Example:

    >>> decided(np.array([[0.7, 0.3]]), ["spam", "good"], label="spam", threshold=0.8).tolist()
    [1]
    """
    if label is None or threshold is None:
        return probabilities.argmax(axis=-1)
    place = list(labels).index(label)
    others = probabilities.copy()
    others[:, place] = -1
    return np.where(probabilities[:, place] >= threshold, place, others.argmax(axis=-1))


def answers(
    probabilities: np.ndarray,
    labels: Sequence[str],
    *,
    label: str | None = None,
    threshold: float | None = None,
    abstain_below: float | None = None,
) -> list[dict[str, Any]]:
    """Return answers as JSON: the label, its probability, those of all labels, and whether it abstains.

    Args:
        probabilities: As for `decided`, as are `labels`, `label` and `threshold`.
        labels: The names of the columns.
        label: A class with a threshold of its own.
        threshold: 0 to 1.
        abstain_below: An answer whose highest probability is below this is marked as abstained.

    Example:

    >>> answers(np.array([[0.75, 0.25]]), ["bad", "good"])
    [{'label': 'bad', 'probability': 0.75, 'probabilities': {'bad': 0.75, 'good': 0.25}}]
    """
    chosen = decided(probabilities, labels, label, threshold)
    given: list[dict[str, Any]] = []
    for row, best in zip(probabilities.tolist(), chosen.tolist(), strict=True):
        shares = {name: round(share, 6) for name, share in zip(labels, row, strict=True)}
        answer = {"label": labels[best], "probability": shares[labels[best]], "probabilities": shares}
        if abstain_below is not None:
            answer["abstained"] = max(row) < abstain_below
        given.append(answer)
    return given

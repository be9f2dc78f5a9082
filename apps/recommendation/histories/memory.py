"""What has followed each item before, and a net's scores mixed with it; needs NumPy alone, as exports do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FADING = 0.5  # how much less an item of a history counts than the one that was chosen after it
LEAST = 1e-9  # of the net's share, so that it puts in order what has never followed
NOTHING = 1e-30  # stands for a probability of 0 in logarithms


@dataclass(frozen=True, eq=False)
class Followed:
    """How often each item has followed each other in training, the sooner after it the more.

    Args:
        items: Those that followed item 0, then item 1 and so on, int32, shape `(num_pairs,)`.
        offsets: Where those of each item start and the last ones end, shape `(num_items + 1,)`.
        weights: Of the pairs, float32, shape `(num_pairs,)`.

    Reference:
        Ludewig and Jannach, 2018, Evaluation of Session-based Recommendation Algorithms, section 3.1
        (sequential rules), here after all items of a history, the last of which counts most
    """

    items: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray

    @property
    def num_items(self) -> int:
        """Of the known items and the unknown one."""
        return len(self.offsets) - 1

    def after(self, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Return the share of each item in what has followed those of a history.

        Args:
            values: Numbers of the items of all histories, one after another, oldest first.
            offsets: Where each history starts and the last one ends, shape `(num_histories + 1,)`.

        Returns:
            float32, shape `(num_histories, num_items)`; zeros where nothing has ever followed.

        Example:

        >>> followed = Followed(np.array([2, 1, 2]), np.array([0, 0, 1, 1, 3]), np.array([1.0, 1.0, 3.0]))
        >>> followed.after(np.array([3, 1]), np.array([0, 1, 2])).tolist()
        [[0.0, 0.25, 0.75, 0.0], [0.0, 0.0, 1.0, 0.0]]
        """
        rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        ago = offsets[1:][rows] - 1 - np.arange(len(values))
        counts = np.diff(self.offsets)[values]
        starts = self.offsets[values]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        places = np.arange(total) + np.repeat(starts - (ends - counts), counts)
        weights = self.weights[places] * np.repeat(FADING ** np.minimum(ago, 60.0), counts)
        cells = np.repeat(rows, counts) * self.num_items + self.items[places]
        size = (len(offsets) - 1) * self.num_items
        table = np.bincount(cells, weights, size).reshape(-1, self.num_items)
        return (table / np.maximum(table.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)


def mixed(scores: np.ndarray, followed: np.ndarray, share: float) -> np.ndarray:
    """Return the logarithm of the probability of each item, by a net and by what has followed before.

    Args:
        scores: Of a net, logits, float32, shape `(num_histories, num_items)`; those of item 0 don't count.
        followed: As of `Followed.after`, of the same shape.
        share: Of what has followed, 0 to 1; the net has all where nothing has.

    Reference:
        Khandelwal et al., 2020, Generalization through Memorization: Nearest Neighbor Language Models,
        equation 3

    Example:

    >>> followed = np.array([[0, 0.5, 0.5]], np.float32)
    >>> mixed(np.zeros((1, 3), np.float32), followed, 0.5).astype(float).round(2).tolist()
    [[-69.08, -0.69, -0.69]]
    """
    logits = scores.astype(np.float32)
    logits[:, 0] = -np.inf
    net = np.exp(logits - logits.max(axis=1, keepdims=True))
    net /= net.sum(axis=1, keepdims=True)
    own = np.where(followed.any(axis=1, keepdims=True), np.float32(share), np.float32(0.0))
    return np.log(np.maximum((1 - own + np.float32(LEAST)) * net + own * followed, np.float32(NOTHING)))

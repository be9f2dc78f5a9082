"""Guesses of masked sub-words by counting: the most frequent of all, and what stands between neighbours."""

from __future__ import annotations

import numpy as np

from apps.nlp.masking.judging import Guesses


class Followers:
    """How often each id stands in each setting.

    Args:
        settings: A number for each occurrence, int64, shape `(num_occurrences,)`.
        ids: What stands there, of the same shape.
        size: How many ids there are.
    """

    def __init__(self, settings: np.ndarray, ids: np.ndarray, size: int) -> None:
        keys, self.counts = np.unique(settings * size + ids, return_counts=True)
        self.settings, self.ids = np.divmod(keys, size)

    def of(self, setting: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids that stand in a setting, and how often."""
        first, last = np.searchsorted(self.settings, [setting, setting + 1])
        return self.ids[first:last], self.counts[first:last]


class Neighbours:
    """How likely each id is between its neighbours, as counted in a training part.

    Between two that are known, the counts of all three together are interpolated, as Witten and Bell do,
    with the product of what each neighbour says alone, and these likewise with the frequency of the id.
    A neighbour that is masked says nothing.

    Args:
        ids: Of the training part, int32, shape `(num_ids,)`, at least three.
        size: How many ids there are.

    Reference:
        Witten and Bell, The Zero-Frequency Problem (1991)

    Example:

    >>> Neighbours(np.array([0, 1, 2, 0, 1, 2, 0, 1, 2]), 3).between(0, 2).argmax()
    np.int64(1)
    """

    def __init__(self, ids: np.ndarray, size: int) -> None:
        wide = ids.astype(np.int64)
        self.size = size
        self.frequencies = (np.bincount(wide, minlength=size) + 1.0) / (len(wide) + size)
        self.after = Followers(wide[:-1], wide[1:], size)
        self.before = Followers(wide[1:], wide[:-1], size)
        self.within = Followers(wide[:-2] * size + wide[2:], wide[1:-1], size)

    def between(self, left: int | None, right: int | None) -> np.ndarray:
        """Return the probability of each id, float64, shape `(size,)`.

        Args:
            left: The id before; nothing where it is masked or there is none.
            right: The id after, likewise.
        """
        sides = [(self.after, left), (self.before, right)]
        alone = [_mixed(*counted.of(id_), self.frequencies) for counted, id_ in sides if id_ is not None]
        if len(alone) < 2 or left is None or right is None:
            return alone[0] if alone else self.frequencies
        together = alone[0] * alone[1] / self.frequencies
        return _mixed(*self.within.of(left * self.size + right), together / together.sum())

    def guesses(self, ids: np.ndarray, masked: np.ndarray) -> Guesses:
        """Return the guesses of the masked places of a part.

        Args:
            ids: Of the part.
            masked: Bool, of the same shape.
        """
        places = np.flatnonzero(masked)
        nats, likeliest = np.zeros(len(places)), np.zeros(len(places), np.int32)
        for row, place in enumerate(places.tolist()):
            left, right = (
                int(ids[side]) if 0 <= side < len(ids) and not masked[side] else None
                for side in (place - 1, place + 1)
            )
            probabilities = self.between(left, right)
            nats[row], likeliest[row] = -np.log(probabilities[ids[place]]), probabilities.argmax()
        return Guesses(nats, likeliest)

    def most_frequent(self, ids: np.ndarray, masked: np.ndarray) -> Guesses:
        """Return the guesses by the frequency of ids alone."""
        nats = -np.log(self.frequencies[ids[masked]])
        return Guesses(nats, np.full(len(nats), self.frequencies.argmax(), np.int32))


def _mixed(ids: np.ndarray, counts: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return counts interpolated with other probabilities, which weigh as much as there are kinds of ids."""
    if not len(ids):
        return rest
    total = counts.sum() + len(ids)
    mixed = rest * (len(ids) / total)
    mixed[ids] += counts / total
    return mixed

"""How likely the next token is after those before it, by counts of n-grams: interpolated Kneser-Ney."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST_DISCOUNTED = 3  # counts from here on share one discount
FEW_TOLD = (0.5, 0.75, 0.75)  # discounts where there are too few n-grams to estimate them


@dataclass(frozen=True, eq=False)
class _Order:
    """The n-grams of one length.

    Args:
        keys: Sorted, int64: the index of the n-gram without its last token among those one shorter, times the
            size of the vocabulary, plus the last token.
        shares: What the discounted count of each has of its context's, float64.
        left: Of each context one shorter, by its index: the share that is left for shorter contexts; 1 where
            it was never seen.
    """

    keys: np.ndarray
    shares: np.ndarray
    left: np.ndarray


class NGrams:
    """A language model of n-grams, smoothed by interpolated Kneser-Ney with three discounts.

    Args:
        ids: The training text, int, shape `(num_tokens,)`, each in `[0, size)`.
        size: How many ids there are.
        order: Tokens of the longest n-grams, at least 1.

    Reference:
        Chen and Goodman, An Empirical Study of Smoothing Techniques for Language Modeling (1998), section 3

    Example:

    >>> model = NGrams(np.array([0, 1, 0, 1, 0, 2]), size=3, order=2)
    >>> model.chances(np.array([0])).round(2)
    array([0.11, 0.52, 0.37])
    >>> float(np.exp(-model.nats(np.array([0, 1])))[1].round(2))
    0.52
    """

    def __init__(self, ids: np.ndarray, size: int, order: int = 6) -> None:
        ids = np.asarray(ids, np.int64)
        if order < 1 or not len(ids) or ids.min() < 0 or ids.max() >= size:
            raise ValueError(
                "order must be at least 1, and ids at least one token, each at least 0 and below size. "
                f"Received: order={order}, size={size}, {len(ids)} ids."
            )
        self.size = size
        self.order = min(order, len(ids))
        keys, places = self._indexed(ids)
        self._orders = self._smoothed(keys, places)

    def _indexed(self, ids: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the sorted keys of each order, and at which index of them the n-gram at each place ends."""
        keys, places = [], []
        index = np.zeros(len(ids), np.int64)  # of the n-gram before each place
        for length in range(1, self.order + 1):
            present = index * self.size + ids[length - 1 :]
            unique, inverse = np.unique(present, return_inverse=True)
            keys.append(unique)
            places.append(inverse)
            index = inverse[:-1]
        return keys, places

    def _smoothed(self, keys: list[np.ndarray], places: list[np.ndarray]) -> list[_Order]:
        orders = []
        for length in range(1, self.order + 1):
            own, at = keys[length - 1], places[length - 1]
            if length == self.order:
                counts = np.bincount(at, minlength=len(own))
            else:
                # How many different tokens stand before it; what begins the text stands there once.
                _, first = np.unique(places[length], return_index=True)
                counts = np.bincount(at[1:][first], minlength=len(own))
                counts[at[0]] += counts[at[0]] == 0
            num_contexts = 1 if length == 1 else len(keys[length - 2])
            orders.append(_discounted(own, counts, own // self.size, num_contexts))
        return orders

    def nats(self, ids: np.ndarray) -> np.ndarray:
        """Return what each token of a text costs after those before it, in nats, float64, shape as `ids`.

        Args:
            ids: Int, shape `(num_tokens,)`.
        """
        ids = np.asarray(ids, np.int64)
        chances = np.full(len(ids), 1 / self.size)
        context = np.zeros(len(ids), np.int64)  # index of the context of each place; -1 where never seen
        contexts = [context]
        for order in self._orders[:-1]:
            ends = _found(order.keys, _key(context, ids, self.size))
            context = np.concatenate([[-1], ends[:-1]])
            contexts.append(context)
        for order, context in zip(self._orders, contexts, strict=True):
            at = _found(order.keys, _key(context, ids, self.size))
            chances = _interpolated(order, context, at, chances)
        return -np.log(chances)

    def chances(self, history: np.ndarray) -> np.ndarray:
        """Return how likely each token is after a history.

        Args:
            history: Ids, of which the last `order - 1` count; may be empty.

        Returns:
            Float64, shape `(size,)`; they sum to 1.
        """
        history = np.asarray(history, np.int64)
        chances, every = np.full(self.size, 1 / self.size), np.arange(self.size)
        for length, order in enumerate(self._orders):
            if length > len(history):
                break
            context = np.zeros(1, np.int64)
            for place, token in enumerate(history[len(history) - length :]):
                context = _found(self._orders[place].keys, _key(context, token, self.size))
            contexts = np.repeat(context, self.size)
            at = _found(order.keys, _key(contexts, every, self.size))
            chances = _interpolated(order, contexts, at, chances)
        return chances


def _discounted(keys: np.ndarray, counts: np.ndarray, contexts: np.ndarray, num_contexts: int) -> _Order:
    discounts = _discounts(counts)[np.minimum(counts, LARGEST_DISCOUNTED)]
    totals = np.bincount(contexts, counts, minlength=num_contexts)
    taken = np.bincount(contexts, discounts, minlength=num_contexts)
    left = np.divide(taken, totals, out=np.ones(num_contexts), where=totals > 0)
    return _Order(keys, (counts - discounts) / totals[contexts], left)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """Return what is taken off counts of 0, 1, 2, and 3 or more, shape `(4,)`."""
    ones, twos, threes, fours = (float(np.sum(counts == count)) for count in (1, 2, 3, 4))
    share = ones / max(ones + 2 * twos, 1)
    raw = np.array(
        [
            1 - 2 * share * twos / max(ones, 1),
            2 - 3 * share * threes / max(twos, 1),
            3 - 4 * share * fours / max(threes, 1),
        ]
    )
    # Where there are few n-grams, such as single characters, their counts tell nothing.
    sound = (raw > 0) & (raw < [1, 2, 3])
    return np.concatenate([[0.0], np.where(sound, raw, FEW_TOLD)])


def _key(context: np.ndarray, ids: np.ndarray | np.int64, size: int) -> np.ndarray:
    return np.where(context < 0, -1, context * size + ids)


def _found(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the index of each wanted key, -1 where there is none."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


def _interpolated(order: _Order, context: np.ndarray, at: np.ndarray, shorter: np.ndarray) -> np.ndarray:
    """Return the chances of tokens by an order, from those by the orders below it."""
    left = np.where(context < 0, 1.0, order.left[np.maximum(context, 0)])
    return np.where(at < 0, 0.0, order.shares[np.maximum(at, 0)]) + left * shorter

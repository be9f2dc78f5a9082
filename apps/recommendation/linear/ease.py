"""EASE: each item predicted from all others by a ridge regression, all of them in closed form at once."""

from __future__ import annotations

import numpy as np

from apps.recommendation.catalogue.interactions import Interactions

MOST_ITEMS = 15_000  # whose weights take 900 MB, and the work of inverting them about a minute on two cores


class Ease:
    """The linear weights that predict each item from all others, none from itself.

    Args:
        data: What users chose.
        penalty: Ridge penalty on the weights, above 0.
        most_items: Of a larger catalogue the most chosen items alone take part; the rest have no weights.

    Reference:
        Steck, 2019, Embarrassingly Shallow Autoencoders for Sparse Data, https://arxiv.org/abs/1905.03375

    Example:

    >>> users, items = np.array([1, 1, 2, 2, 3]), np.array([1, 2, 1, 2, 3])
    >>> data = Interactions(users, items, np.ones(5, np.float32), num_users=4, num_items=4)
    >>> round(float(Ease(data, penalty=1.0).rows(np.array([1]))[0, 2]), 3)
    0.667
    """

    def __init__(self, data: Interactions, penalty: float, most_items: int = MOST_ITEMS) -> None:
        from scipy.linalg import lapack

        counts = np.bincount(data.items, minlength=data.num_items)
        counts[0] = 0
        self.num_items = data.num_items
        self.items = np.sort(np.argsort(-counts, kind="stable")[:most_items])
        seen = data.matrix()[:, self.items]
        gram = (seen.T @ seen).toarray(order="F")
        gram[np.diag_indices_from(gram)] += penalty
        factor, _ = lapack.spotrf(gram, overwrite_a=True)
        weights, _ = lapack.spotri(factor, overwrite_c=True)  # the upper half of the inverse
        weights += np.triu(weights, 1).T
        weights /= -np.diag(weights)
        np.fill_diagonal(weights, 0.0)
        self.weights = weights  # from the items of the rows to those of the columns

    def rows(self, items: np.ndarray) -> np.ndarray:
        """Return the weights of all items for each of some, float32, shape `(len(items), num_items)`."""
        table = np.zeros((len(items), self.num_items), np.float32)
        known = np.flatnonzero(np.isin(items, self.items))
        places = np.searchsorted(self.items, items[known])
        table[np.ix_(known, self.items)] = self.weights.T[places]
        return table

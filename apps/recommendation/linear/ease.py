"""EASE: each item predicted from all others by a ridge regression, all of them in closed form at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from apps.recommendation.catalogue.interactions import Interactions

MOST_ITEMS = 15_000  # whose weights take 900 MB, and the work of inverting them about a minute on two cores

TRIED_ITEMS = 5_000  # by which a penalty is chosen: 100 MB and some seconds for each


class Ease:
    """The linear weights that predict each item from all others, none from itself.

    Args:
        data: What users chose.
        penalty: Ridge penalty on the weights, above 0.
        most_items: Of a larger catalogue every item is predicted from so many alone, those chosen most. The
            weights of these are those among themselves; any other item is a ridge regression on them, exact
            but for the others. What somebody chose beyond them tells nothing: that is the limit.

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
        self.others = np.setdiff1d(np.arange(data.num_items), self.items)
        matrix = data.matrix().tocsc()
        seen = matrix[:, self.items].tocsr()
        self.common = (matrix[:, self.others].T @ seen).tocsr()  # how many chose both, a row for each other
        gram = (seen.T @ seen).toarray(order="F")
        gram[np.diag_indices_from(gram)] += penalty
        factor, _ = lapack.spotrf(gram, overwrite_a=True)
        weights, _ = lapack.spotri(factor, overwrite_c=True)  # the upper half of the inverse
        weights += np.triu(weights, 1).T
        self.diagonal = np.diag(weights).copy()  # of the inverse
        weights /= -self.diagonal
        np.fill_diagonal(weights, 0.0)
        self.weights = weights  # from the items of the rows to those of the columns

    def rows(self, items: np.ndarray) -> np.ndarray:
        """Return the weights of all items for each of some, float32, shape `(len(items), num_items)`."""
        table = np.zeros((len(items), self.num_items), np.float32)
        known = np.flatnonzero(np.isin(items, self.items))
        places = np.searchsorted(self.items, items[known])
        table[np.ix_(known, self.items)] = self.weights.T[places]
        rare = np.flatnonzero(np.isin(items, self.others))
        if len(rare):
            scaled = self.common[np.searchsorted(self.others, items[rare])] * self.diagonal[None, :]
            # The inverse, by what is kept of it: its columns are the weights times the negative diagonal.
            table[np.ix_(rare, self.items)] = scaled.toarray() - scaled @ self.weights.T
        return table

    def scores(self, seen: Any) -> np.ndarray:
        """Return the scores of all items, float32, for rows of what people chose.

        Args:
            seen: Sparse, shape `(num_people, num_items)`.
        """
        chosen = seen[:, self.items]
        table = np.zeros((seen.shape[0], self.num_items), np.float32)
        table[:, self.items] = chosen @ self.weights
        if len(self.others):
            solved = self.diagonal * (chosen.toarray() - table[:, self.items])
            table[:, self.others] = (self.common @ solved.T).T
        return table


def ease_name(num_items: int, most_items: int = MOST_ITEMS) -> str:
    """Return what EASE is called, which predicts a large catalogue from a part of it.

    Example:

    >>> ease_name(1_682), ease_name(40_000)
    ('EASE', 'EASE from the 15,000 most chosen items')
    """
    return "EASE" if num_items <= most_items else f"EASE from the {most_items:,} most chosen items"


def best_ease(
    data: Interactions, penalties: Sequence[float], judged: Callable[[Callable[[Any], np.ndarray]], float]
) -> Ease:
    """Return EASE with the best of some penalties, which is chosen with fewer items where there are many.

    Args:
        data: What users chose.
        penalties: To choose from.
        judged: From what turns rows of choices into scores, to a figure that should be large.
    """
    tried = ((penalty, Ease(data, penalty, TRIED_ITEMS)) for penalty in penalties)
    penalty, best = max(tried, key=lambda each: judged(each[1].scores))
    return best if data.num_items <= TRIED_ITEMS else Ease(data, penalty)

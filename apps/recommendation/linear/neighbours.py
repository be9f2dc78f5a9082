"""Item neighbours: items speak for each other where the same users chose them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from apps.recommendation.catalogue.interactions import Interactions

Weighting = Literal["cosine", "tf_idf", "bm25"]
K1, B = 1.2, 0.75  # how soon more of the same counts for little, and how much an item's popularity takes away


class ItemNeighbours:
    """The similarity of items by who chose them, drawn towards 0 where few did.

    Args:
        data: What users chose.
        weighting: `cosine` counts users alike; `tf_idf` counts those less who chose much, by the logarithm of
            the catalogue's share; `bm25` does so too, takes from popular items, and is a plain product.
        shrinkage: How many imagined users, who chose one of two items alone, draw their similarity towards
            0; at least 0.

    Reference:
        Deshpande and Karypis, 2004, Item-Based Top-N Recommendation Algorithms, sections 4 and 5; Robertson
        and Zaragoza, 2009, The Probabilistic Relevance Framework: BM25 and Beyond, section 3

    Example:

    >>> users, items = np.array([1, 1, 2, 2, 3]), np.array([1, 2, 1, 2, 3])
    >>> data = Interactions(users, items, np.ones(5, np.float32), num_users=4, num_items=4)
    >>> ItemNeighbours(data, shrinkage=2.0).rows(np.array([1])).tolist()
    [[0.0, 0.0, 0.5, 0.0]]
    """

    def __init__(self, data: Interactions, weighting: Weighting = "cosine", shrinkage: float = 20.0) -> None:
        self.shrinkage, self.weighting = shrinkage, weighting
        self.seen = data.matrix()
        self.counts = np.asarray(self.seen.sum(axis=0))
        self.weighted: Any = self.seen if weighting == "cosine" else self._by_rarity()
        if weighting == "bm25":
            share = self.counts / max(self.counts[1:].mean(), 1e-9)
            self.weighted = (self.weighted * ((K1 + 1) / (K1 * (1 - B + B * share) + 1))[None, :]).tocsr()
        self.by_item = self.weighted.T.tocsr()
        self.lengths = np.sqrt(np.asarray((self.weighted * self.weighted).sum(axis=0), np.float64))

    def _by_rarity(self) -> Any:
        """Return the choices of users who chose little as larger numbers; the mean square of all is 1."""
        chosen = np.asarray(self.seen.sum(axis=1))
        rarity = np.log(self.seen.shape[1] / np.maximum(chosen, 1.0))
        rarity /= max(np.sqrt((chosen * rarity**2).sum() / max(chosen.sum(), 1.0)), 1e-9)
        return (self.seen * rarity.astype(np.float32)[:, None]).tocsr()

    def rows(self, items: np.ndarray) -> np.ndarray:
        """Return the similarity of all items to each of some, float32, shape `(len(items), num_items)`."""
        similarity = (self.by_item[items] @ self.weighted).toarray()
        if self.weighting == "bm25":
            common = (self.seen.T.tocsr()[items] @ self.seen).toarray() if self.shrinkage else 1.0
            similarity = similarity * common / np.maximum(common + self.shrinkage, 1e-9)
        else:
            lengths = np.outer(self.lengths[items], self.lengths) + self.shrinkage
            similarity = similarity / np.maximum(lengths, 1e-9)
        similarity[np.arange(len(items)), items] = 0.0
        return similarity.astype(np.float32)

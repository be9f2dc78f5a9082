"""Counting what has followed each item, and choosing how much of an answer it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.histories.memory import Followed

if TYPE_CHECKING:
    from core.data.examples import Ragged

FARTHEST = 10  # steps, up to which an item has followed another
MOST_FOLLOWERS = 256  # of an item that are kept, the most frequent ones
SHARES = (0.5, 0.0, 0.1, 0.3, 0.7, 0.9, 1.0)  # of what has followed, the first where several are best


def followed_in(rows: Ragged, num_items: int) -> Followed:
    """Return what has followed each item: one that came `d` steps after another counts `1 / d`.

    Args:
        rows: Numbers of the known items that people chose, oldest first.
        num_items: Of the known items and the unknown one.

    Example:

    >>> from core.data.examples import Ragged
    >>> followed = followed_in(Ragged.from_rows([[1, 2, 3]], np.int32), num_items=4)
    >>> followed.items.tolist(), followed.offsets.tolist(), followed.weights.tolist()
    ([2, 3, 3], [0, 0, 2, 3, 3], [1.0, 0.5, 1.0])
    """
    from scipy.sparse import csr_array

    table: Any = csr_array((num_items, num_items), dtype=np.float32)
    people = np.repeat(np.arange(len(rows)), rows.lengths)
    for distance in range(1, FARTHEST + 1):
        same = people[distance:] == people[:-distance]
        first, then = rows.values[:-distance][same], rows.values[distance:][same]
        share = np.full(len(first), 1 / distance, np.float32)
        table = table + csr_array((share, (first, then)), shape=table.shape)
    table.sort_indices()
    return _most_frequent(Followed(table.indices.astype(np.int32), table.indptr.astype(np.int32), table.data))


def _most_frequent(followed: Followed) -> Followed:
    """Return the most frequent followers of each item, in the order of their numbers."""
    counts = np.diff(followed.offsets)
    if counts.max(initial=0) <= MOST_FOLLOWERS:
        return followed
    first = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((-followed.weights, first))
    place = np.arange(len(order)) - np.repeat(followed.offsets[:-1], counts)
    kept = np.sort(order[place < MOST_FOLLOWERS])
    offsets = np.concatenate([[0], np.cumsum(np.minimum(counts, MOST_FOLLOWERS))]).astype(np.int32)
    return Followed(followed.items[kept], offsets, followed.weights[kept])

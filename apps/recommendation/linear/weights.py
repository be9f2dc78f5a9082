"""What methods give that predict each item from the others: weights, of which the strongest are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BLOCK_ITEMS = 512


class ItemWeights(Protocol):
    """How much every item, once chosen, speaks for an item."""

    def rows(self, items: np.ndarray) -> np.ndarray:
        """Return the weights of all items for each of some, float32, shape `(len(items), num_items)`."""
        ...


def blocks(items: np.ndarray) -> Iterator[np.ndarray]:
    """Yield items in blocks whose rows over the catalogue fit in memory."""
    for start in range(0, len(items), BLOCK_ITEMS):
        yield items[start : start + BLOCK_ITEMS]


def strongest_rows(weights: ItemWeights, items: np.ndarray, num_items: int, num_kept: int) -> csr_array:
    """Return a table of all items, sparse, that holds the strongest weights for some items and no others.

    Args:
        weights: Of any method.
        items: Whose rows are filled, each once.
        num_items: Of the catalogue.
        num_kept: How many weights an item keeps, those farthest from 0, at least 1.

    Returns:
        float32, shape `(num_items, num_items)`.
    """
    from scipy.sparse import coo_array, csr_array

    rows, columns, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for block in blocks(items):
        table = weights.rows(block)
        if num_kept < num_items:
            kept = np.argpartition(-np.abs(table), num_kept - 1, axis=1)[:, :num_kept]
        else:
            kept = np.broadcast_to(np.arange(num_items), table.shape)
        found = np.take_along_axis(table, kept, axis=1)
        places = np.nonzero(found)
        rows.append(block[places[0]])
        columns.append(kept[places])
        values.append(found[places])
    places = np.concatenate(rows), np.concatenate(columns)
    return csr_array(coo_array((np.concatenate(values), places), shape=(num_items, num_items)))


def unexplained(seen: Any, rows: csr_array, items: np.ndarray) -> np.ndarray:
    """Return the share of who chose each item that the weights leave open, the scores at their best scale.

    Args:
        seen: Sparse rows of users by items, as from `Interactions.matrix`.
        rows: The weights of all items for each item.
        items: Which are asked about.

    Returns:
        0 to 1, shape `(len(items),)`; 1 for an item without weights.
    """
    by_item = seen.T.tocsr()
    size = max(min(2**24 // seen.shape[0], BLOCK_ITEMS), 1)
    shares = [np.zeros(0)]
    for start in range(0, len(items), size):
        block = items[start : start + size]
        scores = (seen @ rows[block].T).tocsc()
        products = np.asarray((by_item[block].T.tocsc() * scores).sum(axis=0), np.float64)
        squares = np.asarray((scores * scores).sum(axis=0), np.float64)
        chosen = np.maximum(np.diff(by_item[block].indptr), 1)
        gain = products**2 / np.maximum(squares, 1e-12)
        shares.append(1 - np.where(products > 0, gain, 0.0) / chosen)
    return np.concatenate(shares)

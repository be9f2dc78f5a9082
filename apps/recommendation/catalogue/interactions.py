"""Who rated what: raw ids as numbers, and ratings in rows by user or by item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.examples import Examples, Ragged, Splits
from core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array

FULLNESS = 0.75  # of the longest row of a block that the others have at least
UNKNOWN = 0  # the number of every user and item that training never saw; the known ones count from 1


def numbered(ids: Sequence[str] | np.ndarray, known: Sequence[str] | pd.Index) -> np.ndarray:
    """Return the number of each raw id: its place among the known ones from 1, or `UNKNOWN`.

    Args:
        ids: Any raw ids, as text.
        known: The ids that training saw, each once; as an index, they are prepared once for many calls.

    Returns:
        int32, shape `(len(ids),)`.

    Example:

    >>> numbered(["b", "x", "a"], known=["a", "b"]).tolist()
    [2, 0, 1]
    """
    import pandas as pd

    # An index is not copied: the copy would have to learn again where each id stands.
    index = known if isinstance(known, pd.Index) else pd.Index(known, dtype=object)
    return (index.get_indexer(pd.Index(ids, dtype=object)) + 1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Interactions:
    """Ratings by numbered users of numbered items; number 0 is that of the unknown.

    Args:
        users: int32, shape `(num_ratings,)`.
        items: int32, shape `(num_ratings,)`.
        ratings: float32, shape `(num_ratings,)`.
        num_users: Of the known ones and the unknown one.
        num_items: Likewise.
    """

    users: np.ndarray
    items: np.ndarray
    ratings: np.ndarray
    num_users: int
    num_items: int

    def __len__(self) -> int:
        return len(self.users)

    def by_user(self) -> Ragged:
        """Return the places of each user's ratings, in their order."""
        return grouped(self.users, self.num_users)

    def by_item(self) -> Ragged:
        """Return the places of each item's ratings, in their order."""
        return grouped(self.items, self.num_items)

    def items_by_user(self, time: np.ndarray | None = None) -> Ragged:
        """Return the items of each user, in the order of time if it is given."""
        order = np.arange(len(self)) if time is None else np.argsort(time, kind="stable")
        places = grouped(self.users[order], self.num_users)
        return Ragged(self.items[order][places.values], places.offsets)

    def matrix(self) -> csr_array:
        """Return a sparse matrix of users by items that holds 1 where there is a rating, float32."""
        return as_matrix(self.items_by_user(), self.num_items)


def as_matrix(items_by_user: Ragged, num_items: int) -> csr_array:
    """Return a sparse matrix of users by items that holds 1 for each item of a user, float32."""
    from scipy.sparse import csr_array

    ones = np.ones(len(items_by_user.values), np.float32)
    shape = (len(items_by_user), num_items)
    matrix = csr_array((ones, items_by_user.values, items_by_user.offsets), shape=shape)
    matrix.sum_duplicates()
    matrix.data.fill(1.0)
    return matrix


def grouped(rows: np.ndarray, num_rows: int) -> Ragged:
    """Return the places at which each row number stands.

    Example:

    >>> places = grouped(np.array([2, 0, 2]), 3)
    >>> [places[row].tolist() for row in range(3)]
    [[1], [], [0, 2]]
    """
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))])
    return Ragged(np.argsort(rows, kind="stable"), offsets)


def row_blocks(lengths: np.ndarray, num_values: int) -> Iterator[np.ndarray]:
    """Yield the numbers of all rows that are not empty, the longest first, in blocks of about one length.

    A block padded to its longest row holds at most `num_values`, of which at most a quarter is padding. A
    row longer than `num_values` is a block of its own.

    Args:
        lengths: Of the rows.
        num_values: At least 1.

    Example:

    >>> [block.tolist() for block in row_blocks(np.array([3, 0, 8, 2, 4]), num_values=8)]
    [[2], [4, 0], [3]]
    """
    order = np.argsort(-lengths, kind="stable")[: np.count_nonzero(lengths)]
    falling = -lengths[order]
    start = 0
    while start < len(order):
        longest = lengths[order[start]]
        alike = int(np.searchsorted(falling, -FULLNESS * longest, side="right"))
        stop = min(start + max(num_values // longest, 1), alike)
        yield order[start:stop]
        start = stop


def padded(
    rows: Ragged, num_rows: int | None = None, length: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows as a matrix with zeros behind each, and which values of it are none of these zeros.

    Args:
        rows: At least one.
        num_rows: Of the matrix; by default as many as there are.
        length: Of its rows; by default that of the longest.

    Example:

    >>> padded(Ragged.from_rows([[5], [7, 8]]))[0].tolist()
    [[5, 0], [7, 8]]
    """
    mask = np.zeros((num_rows or len(rows), length or rows.lengths.max()), bool)
    mask[: len(rows)] = np.arange(mask.shape[1]) < rows.lengths[:, None]
    matrix = np.zeros(mask.shape, rows.values.dtype)
    matrix[mask] = rows.values
    return matrix, mask


def last_held_out(ratings: Examples, notes: Sequence[str] = ()) -> Splits:
    """Return each user's last rating as the test part, the one before as validation, the rest as train.

    A user with fewer than three ratings is only learnt from. The last is that by the column `time`, or where
    there is none by `order`.

    Raises:
        UserError: There is neither column, or nobody has three ratings.
    """
    from core.data.splitting import split_fingerprint

    _, users = np.unique(ratings["user"], return_inverse=True)
    rows = np.lexsort((ratings["time" if "time" in ratings else "order"], users))
    counts = np.bincount(users)
    place = np.cumsum(counts)[users[rows]] - np.arange(len(rows))  # 1 for the last rating of its user
    several = counts[users[rows]] >= 3
    if not several.any():
        raise UserError(
            f"To hold the last out, a user needs three ratings. Received: at most {counts.max()} a user."
        )
    held = {"test": several & (place == 1), "validation": several & (place == 2)}
    parts = {name: ratings.take(rows[mask]) for name, mask in held.items()}
    parts["train"] = ratings.take(rows[~(held["test"] | held["validation"])])
    return Splits(
        parts["train"],
        parts["validation"],
        parts["test"],
        protocol=f"last rating of each user held out, the one before is validation; "
        f"split {split_fingerprint(parts, ('user', 'item'))}",
        notes=tuple(notes),
    )

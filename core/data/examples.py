"""Examples as columns: what a source yields and every other step takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.data.larger_than_memory import Growing, allocated, blocks, end_to_end, rows_of
from core.errors import UserError


class Ragged:
    """Rows of different lengths, kept as one flat array and not as Python objects.

    Args:
        values: All rows one after another, shape `(total, ...)`, any dtype. May be a memory map.
        offsets: Where each row starts and the last one ends, int64, shape `(num_rows + 1,)`.

    Example:

    >>> rows = Ragged.from_rows([[1, 2], [], [3]])
    >>> rows.lengths.tolist()
    [2, 0, 1]
    >>> rows.take([2, 0])[1].tolist()
    [1, 2]
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        self.values = values
        self.offsets = np.asarray(offsets, np.int64)
        if self.offsets.ndim != 1 or self.offsets[0] != 0 or self.offsets[-1] != len(values):
            raise ValueError(
                f"offsets must start at 0 and end at the number of values, {len(values)}. "
                f"Received: offsets of shape {self.offsets.shape}, ends {self.offsets[[0, -1]].tolist()}."
            )

    @classmethod
    def from_rows(cls, rows: Sequence, dtype: np.typing.DTypeLike | None = None) -> Ragged:
        """Join a sequence of array-likes, one a row."""
        arrays = [np.asarray(row, dtype) for row in rows]
        offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays], dtype=np.int64)])
        filled = [array for array in arrays if len(array)]
        return cls(np.concatenate(filled) if filled else np.zeros(0, dtype), offsets)

    @classmethod
    def gathered(cls, rows: Iterable[np.ndarray], dtype: np.typing.DTypeLike) -> Ragged:
        """Join rows as they come, however many, on disk where they are too large for memory."""
        values, lengths = Growing(dtype), Growing(np.int64)
        for row in rows:
            values.append(row)
            lengths.append(np.array(len(row)))
        return cls(values.array(), np.concatenate([[0], np.cumsum(lengths.array())]))

    @classmethod
    def concatenate(cls, parts: Sequence[Ragged]) -> Ragged:
        """Join ragged arrays end to end."""
        starts = np.cumsum([0] + [len(part.values) for part in parts])
        offsets = [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
        return cls(end_to_end([part.values for part in parts]), np.concatenate([[0], *offsets]))

    @property
    def lengths(self) -> np.ndarray:
        """The length of every row, int64, shape `(num_rows,)`."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def take(self, indices: np.ndarray | Sequence[int]) -> Ragged:
        """Return the rows at `indices`, in that order."""
        indices = np.asarray(indices, np.int64)
        lengths = self.lengths[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        # From a place in the result to the place in `values` that it comes from.
        moved = self.offsets[indices] - offsets[:-1]
        values = allocated((offsets[-1], *self.values.shape[1:]), self.values.dtype)
        for block in blocks(len(indices), row_bytes=8 * offsets[-1] // max(len(indices), 1)):
            start, stop = offsets[block.start], offsets[block.stop]
            values[start:stop] = self.values[np.arange(start, stop) + np.repeat(moved[block], lengths[block])]
        return Ragged(values, offsets)


Column = np.ndarray | Ragged
HashKey = tuple[tuple[str, ...], int | str]


def _as_column(values: Column | Sequence) -> Column:
    if isinstance(values, Ragged):
        return values
    # A memory map tells by its type that it lies on disk.
    array = values if isinstance(values, np.memmap) else np.asarray(values)
    # Fixed-width and object strings cost a Python object or the longest row each; StringDType costs neither.
    if array.dtype.kind in "UO":
        array = array.astype(np.dtypes.StringDType())
    return array


@dataclass(frozen=True, init=False, eq=False)
class Examples:
    """Examples as named columns of equal length.

    Args:
        columns: Name to column: a NumPy array whose first axis is the example, or a `Ragged`. Text is kept as
            NumPy's variable-width strings.
        source: Where they come from, for messages.
        hashes: What `core.data.content` found, by key and seed, so that content is read once.

    Example:

    >>> reviews = Examples({"text": ["good", "bad"], "label": ["1", "0"]})
    >>> len(reviews), reviews.take([1])["text"].tolist()
    (2, ['bad'])
    """

    columns: Mapping[str, Column]
    source: str
    hashes: dict[HashKey, np.ndarray] = field(repr=False)

    def __init__(
        self,
        columns: Mapping[str, Column | Sequence],
        source: str = "memory",
        hashes: Mapping[HashKey, np.ndarray] | None = None,
    ) -> None:
        ready = {name: _as_column(values) for name, values in columns.items()}
        lengths = {name: len(values) for name, values in ready.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Columns must be of equal length. Received: {lengths}.")
        object.__setattr__(self, "columns", ready)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "hashes", dict(hashes or {}))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column whose rows are alike; `ragged` returns the others."""
        column = self._column(name)
        if isinstance(column, Ragged):
            raise ValueError(f"Column {name!r} is ragged: take it with `.ragged({name!r})`.")
        return column

    def ragged(self, name: str) -> Ragged:
        """Return a column whose rows differ in length."""
        column = self._column(name)
        if not isinstance(column, Ragged):
            raise ValueError(f"Column {name!r} is not ragged. Received: an array of shape {column.shape}.")
        return column

    def _column(self, name: str) -> Column:
        if name not in self.columns:
            raise UserError(
                f"{self.source} has no column {name!r}. Received the columns: {', '.join(self.columns)}."
            )
        return self.columns[name]

    def take(self, rows: np.ndarray | Sequence[int]) -> Examples:
        """Return the rows at the given indices, or where a boolean mask is true.

        Columns that are too large for memory are copied to disk, block by block.
        """
        indices = np.asarray(rows)
        if indices.dtype == bool and indices.all() and len(indices) == len(self):
            return self
        indices = np.flatnonzero(indices) if indices.dtype == bool else indices.astype(np.int64)
        taken = {
            name: column.take(indices) if isinstance(column, Ragged) else rows_of(column, indices)
            for name, column in self.columns.items()
        }
        return Examples(taken, self.source, {key: digests[indices] for key, digests in self.hashes.items()})

    def with_columns(self, **columns: Column | Sequence) -> Examples:
        """Return the same examples with columns added or replaced."""
        kept = {key: digests for key, digests in self.hashes.items() if not columns.keys() & set(key[0])}
        return Examples({**self.columns, **columns}, self.source, kept)

    @classmethod
    def concatenate(cls, parts: Iterable[Examples]) -> Examples:
        """Join examples that have the same columns end to end."""
        parts = list(parts)
        joined: dict[str, Column] = {}
        for name in parts[0].columns:
            columns = [part.columns[name] for part in parts]
            if isinstance(columns[0], Ragged):
                joined[name] = Ragged.concatenate(
                    [column for column in columns if isinstance(column, Ragged)]
                )
            else:
                joined[name] = end_to_end([part[name] for part in parts])
        known = [key for key in parts[0].hashes if all(key in part.hashes for part in parts)]
        hashes = {key: np.concatenate([part.hashes[key] for part in parts]) for key in known}
        return cls(joined, parts[0].source, hashes)


@dataclass(frozen=True)
class Splits:
    """The three parts of a data set and how they came to be.

    Args:
        train: What a model learns from.
        validation: What its choices (epochs, hyperparameters, thresholds) are made on.
        test: What it is judged on, once.
        protocol: How the parts were made, in words that stand beside every figure.
        notes: What a user should know of the reading, such as counted skips.
        official_test: Whether the source itself names its test part.
    """

    train: Examples
    validation: Examples
    test: Examples
    protocol: str
    notes: tuple[str, ...] = ()
    official_test: bool = False

"""What examples can be told apart by: lengths, brightness, how often an id stands in training, columns."""

from __future__ import annotations

import numpy as np

from core.data.examples import Column, Examples, Ragged, Splits
from core.data.lookup import places_among

MOST_VALUES = 12  # of a column that is told apart value by value; the rarer ones are one slice


def columns_of(splits: Splits, content: tuple[str, ...], label: str | None) -> dict[str, np.ndarray]:
    """Return what the test examples can be told apart by, a value an example.

    Of text its length in words, of a wave its length, of a picture its brightness; of ids that stand in many
    training examples, how many; every other column as it is, but that of the classes.

    Args:
        splits: The data of a run.
        content: The columns that make an example what it is.
        label: The column of classes.
    """
    columns: dict[str, np.ndarray] = {}
    for name, column in splits.test.columns.items():
        if name == label:
            continue
        if isinstance(column, Ragged):
            columns[f"length of {name}"] = column.lengths
        elif column.ndim > 1:
            columns[f"brightness of {name}"] = column.mean(axis=tuple(range(1, column.ndim)))
        elif isinstance(column.dtype, np.dtypes.StringDType):
            columns |= _of_text(name, column, splits.train, name in content)
        elif _is_time(name, column):
            columns[name] = column.astype("datetime64[s]").astype("datetime64[D]")
        else:
            columns[name] = column
    return columns


def _is_time(name: str, column: np.ndarray) -> bool:
    """Return whether numbers are seconds since 1970, as MovieLens and many logs have them."""
    return "time" in name and column.dtype.kind in "iuf" and len(column) > 0 and 1e8 < np.min(column) < 1e10


def _of_text(name: str, column: np.ndarray, train: Examples, is_content: bool) -> dict[str, np.ndarray]:
    distinct = len(np.unique(column))
    if is_content and name in train and len(np.unique(train[name])) < len(train) / 2:
        return {f"training examples of the {name}": occurrences(column, train.columns[name])}
    if is_content or distinct > max(len(column) / 2, MOST_VALUES):
        lengths = np.fromiter((len(text.split()) for text in column), np.int64, len(column))
        return {f"words in {name}": lengths}
    return {name: column}


def occurrences(values: np.ndarray, among: Column) -> np.ndarray:
    """Return how often each value stands among others, int64.

    Example:

    >>> occurrences(np.array(["a", "c"]), np.array(["a", "b", "a"])).tolist()
    [2, 0]
    """
    known, counts = np.unique(np.asarray(among), return_counts=True)
    return np.append(counts, 0)[places_among(known, values)]

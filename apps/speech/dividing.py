"""Test parts that are named by what is known of recordings: takes, speakers, names of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from core.errors import UserError

if TYPE_CHECKING:
    from core.data.examples import Examples, Splits
    from core.task.contract import Task


def divided_where(
    task: Task,
    parts: Mapping[str, Examples],
    test_when: Mapping[str, Sequence[str]],
    notes: Sequence[str] = (),
) -> Splits:
    """Return the parts of a task, whose test part are the recordings with such values.

    Args:
        task: Completes them by its own shares.
        parts: What the source names, and no test part.
        test_when: Column to values, or patterns such as `LJ002-01*`; all columns must agree.
        notes: Of the reading.

    Raises:
        UserError: There is a test part already, no recording has such a value, or all have.
    """
    whole = parts["train"]
    if "test" in parts:
        raise UserError(
            f"{whole.source} names its own test part: leave test_when out. Received: {test_when}."
        )
    chosen = np.all([_fits(whole[name], values).any(axis=0) for name, values in test_when.items()], axis=0)
    if chosen.all() or not chosen.any():
        raise UserError(
            f"test_when must choose some of the {len(whole)} recordings of {whole.source}, and not all. "
            f"Received: {test_when}, which chooses {chosen.sum()}."
        )
    strange = [
        f"{name} {value}"
        for name, values in test_when.items()
        for value, fits in zip(values, _fits(whole[name], values), strict=True)
        if not fits.any()
    ]
    if strange:
        raise UserError(
            f"Each value of test_when must stand in a recording of {whole.source}. "
            f"Received: {', '.join(strange[:8])}."
        )
    splits = task.divided({**parts, "train": whole.take(~chosen), "test": whole.take(chosen)}, notes)
    words = " and ".join(f"{name} is {', '.join(values)}" for name, values in test_when.items())
    return replace(splits, protocol=splits.protocol.replace("as published", f"where {words}", 1))


def _fits(column: np.ndarray, values: Sequence[str]) -> np.ndarray:
    """Return which rows fit each value, bool, shape `(num_values, num_rows)`."""
    distinct, rows = np.unique(column, return_inverse=True)
    return np.array([[fnmatchcase(str(name), value) for name in distinct] for value in values])[:, rows]


def chosen_where(examples: Examples, only: Mapping[str, Sequence[str]]) -> Examples:
    """Return the recordings with such values.

    Args:
        examples: Of one part.
        only: Column to values, or patterns such as `LJ002-01*`; all columns must agree.

    Raises:
        UserError: There is none.
    """
    chosen = np.all([_fits(examples[name], values).any(axis=0) for name, values in only.items()], axis=0)
    if not chosen.any():
        known = [f"{name} is one of {', '.join(map(str, np.unique(examples[name])[:8]))}" for name in only]
        raise UserError(
            f"No recording of {examples.source} is as only says: {'; '.join(known)}. Received: {only}."
        )
    return examples.take(chosen)

"""What is learnt of the columns of a table before any weight: kinds, choices, means and deviations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from apps.medicine.rows.values import Scaled, numbers_of_rows, width_of, written
from core.data.examples import Examples
from core.errors import UserError
from core.inputs.row import Column, columns_of, numbers_of
from core.task.classification import LabelEncoder


class RowEncoder(LabelEncoder):
    """The two labels, the columns of a row, and how their values become numbers."""

    columns: list[Column] = Field(description="as a form shows them")
    scaled: list[Scaled] = Field(description="the same, as a model reads them")

    def numbers(self, examples: Examples) -> np.ndarray:
        """Return rows as numbers, float32, shape `(num_rows, num_numbers)`."""
        lacking = [column.name for column in self.columns if column.name not in examples]
        if lacking:
            raise UserError(
                f"{examples.source} lacks columns that the training had: {', '.join(lacking)}. "
                f"Received: {', '.join(examples.columns)}."
            )
        rows = {column.name: examples[column.name].tolist() for column in self.columns}
        return numbers_of_rows(self.scaled, rows)

    def masks(self) -> np.ndarray:
        """Return which numbers each column becomes, bool, shape `(num_columns, num_numbers)`."""
        owner = np.repeat(np.arange(len(self.scaled)), [width_of(column) for column in self.scaled])
        return owner == np.arange(len(self.scaled))[:, None]


def learnt_columns(
    train: Examples, names: Sequence[str], categories: Sequence[str]
) -> tuple[list[Column], list[Scaled], list[str]]:
    """Return the columns of a training part, how their values are read, and the names of those of free text.

    Args:
        train: The training part.
        names: Of the columns, in their order.
        categories: Columns of numbers that stand for something else, such as a kind of pain.

    Raises:
        UserError: A category is no column, or no column is left.
    """
    strange = [name for name in categories if name not in names]
    if strange:
        raise UserError(
            f"categories must be columns of {train.source}, which are {', '.join(names)}. "
            f"Received: {', '.join(strange)}."
        )
    columns, scaled, left_out = [], [], []
    for column in columns_of(train, names):
        if column.kind == "choice" or column.name in categories:
            column = _chosen(column.name, train[column.name])
        constant = len(column.choices) < 2 if column.kind == "choice" else column.low == column.high
        if column.kind == "text" or constant:
            left_out.append(column.name)
            continue
        columns.append(column)
        scaled.append(_scaled(column, train[column.name]))
    if not columns:
        raise UserError(f"{train.source} has no column to learn from. Received: {', '.join(names)}.")
    return columns, scaled, left_out


def _chosen(name: str, values: np.ndarray) -> Column:
    texts = [text for text in map(written, values.tolist()) if text is not None]
    distinct, counts = np.unique(np.array(texts, np.dtypes.StringDType()), return_counts=True)
    typical = str(distinct[counts.argmax()]) if len(distinct) else None
    return Column(name=name, kind="choice", choices=distinct.tolist(), typical=typical)


def _scaled(column: Column, values: np.ndarray) -> Scaled:
    texts = [written(value) for value in values.tolist()]
    mean, deviation = 0.0, 1.0
    if column.kind == "number":
        numbers = numbers_of(values)
        assert numbers is not None
        mean, deviation = float(np.nanmean(numbers)), float(np.nanstd(numbers)) or 1.0
    return Scaled(
        name=column.name,
        choices=column.choices,
        mean=mean,
        deviation=deviation,
        can_miss=None in texts,
    )

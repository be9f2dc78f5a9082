"""Answers from an export of a risk, without Keras."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from apps.medicine.rows.values import Scaled, numbers_of_rows, require_known
from core.errors import UserError
from core.exporting.classifier import Classifier
from core.exporting.runtime import main


class Predictor(Classifier):
    """Says how likely somebody has what is looked for, from a row of named columns.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/heart/exports/onnx").predict([{"age": 63, "sex": "f"}])  # doctest: +SKIP
    [{'label': 'present', 'probability': 0.61, ...}]
    """

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return rows, mappings from columns to values or texts of them, as numbers.

        Raises:
            UserError: A row lacks a column, or a value is not such as training saw.
        """
        columns = [Scaled(*column) for column in self.settings["columns"]]
        rows = [_row(value) for value in inputs]
        for row in rows:
            require_known(columns, row)
        names = [column.name for column in columns]
        return {"row": numbers_of_rows(columns, {name: [row[name] for row in rows] for name in names})}


def _row(value: Any) -> Mapping[str, Any]:
    """Return a row that is written as JSON or as `age=63 sex=f`."""
    if isinstance(value, Mapping):
        return value
    text = str(value)
    if not text.lstrip().startswith("{"):
        pairs = [pair.partition("=") for pair in next(csv.reader([text], delimiter=" "), []) if pair]
        return {name: value for name, _, value in pairs}
    try:
        row: Mapping[str, Any] = json.loads(text)
    except ValueError as error:
        raise UserError(f"The row is no JSON: {error}. Received: {text[:80]!r}.") from None
    return row


if __name__ == "__main__":
    main(Predictor)

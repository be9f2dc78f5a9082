"""Answers from an export of a click prediction, without Keras."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.recommendation.impressions.slots import (
    columns_of,
    features_of,
    fields_of,
    pairs_of,
    require_columns,
)
from core.errors import UserError
from core.exporting.classifier import Classifier
from core.exporting.runtime import main


class Predictor(Classifier):
    """Says how likely a click is on rows of named columns.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/clicks/exports/onnx").predict([{"device": "phone", "price": 2}])  # doctest: +SKIP
    [{'label': 'click', 'probability': 0.61, ...}]
    """

    def __init__(self, folder: Path | str) -> None:
        super().__init__(folder)
        self.fields = fields_of(self.settings["columns"])
        last = self.fields[-1]
        self.pairs = pairs_of(self.settings["pairs"], last.first + last.size)

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return the ids and numbers of rows: mappings from columns to values, or texts of them.

        Raises:
            UserError: A row lacks a column or has an unknown one, or a value is no number where it should be.
        """
        rows = [_row(value) for value in inputs]
        names = [field.name for field in self.fields]
        for row in rows:
            require_columns(row, names, self.settings["passed_over"])
        known = [{name: row[name] for name in names} for row in rows]
        return features_of(self.fields, self.pairs, columns_of(known, self.settings["separator"]))


def _row(value: Any) -> Mapping[str, Any]:
    """Return a row that is written as JSON or as `device=phone price=2`."""
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

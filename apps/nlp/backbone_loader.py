"""Answers from an export of a text classification by a KerasHub backbone, without Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.exporting.classifier import Classifier
from core.exporting.runtime import main


class Predictor(Classifier):
    """Names the class of texts, which the graph itself cuts.

    Args:
        folder: Of the export, a SavedModel.

    Example:

    >>> Predictor("runs/reviews/exports/saved_model").predict(["A lovely film"])  # doctest: +SKIP
    [{'label': 'positive', 'probability': 0.97, ...}]
    """

    def __init__(self, folder: Path | str) -> None:
        import tensorflow_text  # noqa: F401 - has the operations that cut texts

        super().__init__(folder)

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return texts as they are."""
        return {"text": np.array([str(text) for text in inputs], object)}


if __name__ == "__main__":
    main(Predictor)

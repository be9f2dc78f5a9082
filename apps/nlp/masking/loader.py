"""Texts with marks that are filled by an export, without Keras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.nlp.corpus.cleaning import cleaned
from apps.nlp.masking.filling import filled, padded, rows_of_ids
from apps.nlp.subwords.subwords import Subwords
from core.exporting.runtime import Graph, main


class Predictor:
    """Fills masks.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/mine/exports/onnx").predict(["In the [MASK] was the Word"])  # doctest: +SKIP
    [{'text': 'In the beginning was the Word', 'masks': [{'start': 7, 'end': 16, 'word': 'beginning', ...}]}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.graph = Graph(folder)
        self.context = self.settings["context"]
        self.subwords = Subwords(**self.settings["vocabulary"])

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the logits of each place, float32, `(num_ids, size)`.

        Args:
            inputs: Texts with marks, of which as much as the window takes is read, or lists of ids.
        """
        rows = rows_of_ids(inputs, self.subwords, self.context)
        logits = self.graph({"ids": padded(rows, self.context)})
        return [own[: len(row)] for own, row in zip(logits, rows, strict=True)]

    def predict(self, inputs: Sequence[Any], candidates: int | None = None) -> list[dict[str, Any]]:
        """Return each text with its masks filled, and the likeliest words of each mask.

        Args:
            inputs: Texts, in which `[MASK]` stands where a word is missing.
            candidates: How many words of each mask are told; by default as many as the task tells.
        """
        count = candidates or self.settings["candidates"]
        texts = [cleaned(str(value)) for value in inputs]
        return [
            filled(lambda ids: np.array(self.graph({"ids": ids})), text, self.subwords, self.context, count)
            for text in texts
        ]


if __name__ == "__main__":
    main(Predictor)

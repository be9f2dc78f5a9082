"""Entities from an export, without Keras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.nlp.chain import Chain, answer_of
from apps.nlp.word_ids import WordIds, emissions_of
from apps.nlp.words import words_of
from core.exporting.runtime import Graph, main


class Predictor:
    """Finds the entities of texts: the graph scores tags, and the chain that lies beside it chooses them.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/names/exports/onnx").predict(["Ann lives in Rome"])  # doctest: +SKIP
    [{'text': 'Ann lives in Rome', 'spans': [{'text': 'Ann', 'type': 'PER', 'start': 0, ...}, ...]}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.graph = Graph(folder)
        with np.load(Path(folder) / "chain.npz") as scores:
            self.chain = Chain(self.settings["types"], **scores)
        names = ("vocabulary", "characters", "pieces", "word_length", "split")
        self.ids = WordIds(**{name: self.settings[name] for name in names})

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the scores of the tags of each text, or list of words, float32, `(num_words, num_tags)`."""
        sentences = [
            [word.text for word in words_of(text, self.settings["split"])] if isinstance(text, str) else text
            for text in inputs
        ]
        return emissions_of(sentences, self.ids, self.settings["max_length"], self.graph)

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return each text with its entities."""
        texts = [str(text) for text in inputs]
        return [
            answer_of(text, words_of(text, self.settings["split"]), self.chain.entities(emissions))
            for text, emissions in zip(texts, self.outputs(texts), strict=True)
        ]


if __name__ == "__main__":
    main(Predictor)

"""Intents and slots from an export, without Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.nlp.entities_loader import Predictor as Tagger
from apps.nlp.requests.telling import request_answer
from apps.nlp.words import words_of
from core.exporting.runtime import main


class Predictor(Tagger):
    """Tells what requests are for: the graph scores intents and tags, the chain beside it chooses the tags.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/home/exports/onnx").predict(["turn on the desk lamp"])  # doctest: +SKIP
    [{'text': 'turn on the desk lamp', 'label': 'TurnOn', 'probability': 0.98, 'spans': [{'text': ...}]}]
    """

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return each request with its intent and slots."""
        texts = [str(text) for text in inputs]
        split, intents = self.settings["split"], self.settings["intents"]
        return [
            request_answer(text, words_of(text, split), scores, self.chain, intents)
            for text, scores in zip(texts, self.outputs(texts), strict=True)
        ]


if __name__ == "__main__":
    main(Predictor)

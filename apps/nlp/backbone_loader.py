"""Answers from an export of a text classification by a KerasHub backbone, without Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.data.letters import composed
from core.exporting.classifier import Classifier
from core.exporting.runtime import main


class Predictor(Classifier):
    """Names the class of texts, which a SavedModel cuts itself.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/reviews/exports/onnx").predict(["A lovely film"])  # doctest: +SKIP
    [{'label': 'positive', 'probability': 0.97, ...}]
    """

    def __init__(self, folder: Path | str) -> None:
        if (Path(folder) / "saved_model").exists():
            import tensorflow_text  # noqa: F401 - has the operations that cut texts
        super().__init__(folder)
        self.tokenizer: Any = None
        if self.graph.inputs != ["text"]:
            from tokenizers import Tokenizer

            self.tokenizer = Tokenizer.from_str(self.settings["tokenizer"])

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return texts as they are, or as what the backbone reads, int32, shape `(num_texts, length)`."""
        texts = [str(text) for text in inputs]
        if self.settings.get("reading") == "folded":
            texts = [composed(text) for text in texts]
        if self.tokenizer is None:
            return {"text": np.array(texts, object)}
        cut = self.tokenizer.encode_batch(texts)
        given = {
            "token_ids": [each.ids for each in cut],
            "padding_mask": [each.attention_mask for each in cut],
            "segment_ids": [each.type_ids for each in cut],
        }
        return {name: np.array(given[name], np.int32) for name in self.graph.inputs}


if __name__ == "__main__":
    main(Predictor)

"""Answers from an export, without Keras."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.nlp.comprehension.windows import PARTS, answer_of, best_of, grids, pairs_of
from apps.nlp.word_ids import WordIds
from apps.nlp.words import words_of
from core.errors import UserError
from core.exporting.runtime import Graph, main


class Predictor:
    """Finds the answers to questions in texts.

    Args:
        folder: Of the export.

    Example:

    >>> asked = {"question": "Who lives in Rome?", "context": "Ann lives in Rome."}
    >>> Predictor("runs/facts/exports/onnx").predict([asked])  # doctest: +SKIP
    [{'answer': 'Ann', 'start': 0, 'end': 3, 'probability': 0.97, 'context': 'Ann lives in Rome.'}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.graph = Graph(folder)
        names = ("vocabulary", "characters", "pieces", "word_length", "split")
        self.ids = WordIds(**{name: self.settings[name] for name in names})

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the scores of the spans of each context, float32, `(num_words, longest_answer)`."""
        pairs = pairs_of([_read(each) for each in inputs], self.settings["split"])
        window, longest = self.settings["max_length"], self.settings["longest_answer"]
        return grids(pairs, self.ids, window=window, longest=longest, score=self.graph)

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the answer to each question: mappings with `question` and `context`, or such JSON."""
        read = [_read(each) for each in inputs]
        split, may_be_silent = self.settings["split"], self.settings["may_be_silent"]
        return [
            answer_of(each["context"], words_of(each["context"], split), best_of(grid, may_be_silent))
            for each, grid in zip(read, self.outputs(read), strict=True)
        ]


def _read(value: Any) -> dict[str, str]:
    """Return a question and its context.

    Raises:
        UserError: It is none.
    """
    try:
        tree = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        tree = None
    if not isinstance(tree, Mapping) or not all(isinstance(tree.get(part), str) for part in PARTS):
        wanted = json.dumps(dict.fromkeys(PARTS, "..."))
        raise UserError(f"An input is JSON such as {wanted}. Received: {str(value)[:80]!r}.")
    return {part: tree[part] for part in PARTS}


if __name__ == "__main__":
    main(Predictor)

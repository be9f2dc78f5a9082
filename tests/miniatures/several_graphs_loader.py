"""Answers from an export of the miniature encoder-decoder, without Keras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.exporting.runtime import Graph, main
from tests.miniatures.greedy import greedy


class Predictor:
    """Reverses numbers such as `3 1 4`.

    Args:
        folder: Of the export.
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.encoder = Graph(folder)
        self.step = Graph(folder, "decoder_step")

    def outputs(self, inputs: Sequence[Any]) -> dict[str, list[np.ndarray]]:
        """Return the tokens of each answer, and the logits they were chosen by."""
        return greedy(inputs, self.settings["length"], self.encoder.named, self.step.named)

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return one answer for each text of numbers."""
        return [{"text": " ".join(map(str, tokens))} for tokens in self.outputs(inputs)["tokens"]]


if __name__ == "__main__":
    main(Predictor)

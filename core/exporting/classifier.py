"""What the exports of all classifications share; needs what `runtime` needs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.answers.decisions import answers
from core.exporting.runtime import Graph


class Classifier(ABC):
    """Names the class of raw inputs by an exported graph.

    Args:
        folder: Of the export.
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.graph = Graph(folder)

    @abstractmethod
    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return what the graph takes for a batch of raw inputs."""

    def outputs(self, inputs: Sequence[Any]) -> np.ndarray:
        """Return the probabilities of the labels, float32, shape `(num_inputs, num_labels)`."""
        return self.graph(self.features(inputs))

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the label, its probability and those of all labels for each raw input, as one batch."""
        if not inputs:
            return []
        return answers(self.outputs(inputs), self.settings["labels"], **self.settings["decision"])

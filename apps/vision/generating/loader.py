"""New pictures from an export of a generation, without Keras."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.vision.generating.noise import as_levels, noise_of
from core.errors import UserError
from core.exporting.runtime import Graph, main


class Predictor:
    """Draws pictures.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/digits/exports/onnx").predict([{"seed": 7, "class": "3"}])  # doctest: +SKIP
    [{'picture': array([[[...]]], dtype=uint8)}]
    """

    def __init__(self, folder: Path | str) -> None:
        settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.labels: list[str] = settings["labels"]
        self.noise: int = settings["noise"]
        self.graph = Graph(folder)

    def outputs(self, inputs: Sequence[Any]) -> np.ndarray:
        """Return pictures in [-1, 1], float32, of seeds and classes."""
        asked = [self._asked(value) for value in inputs]
        noise = noise_of([seed for seed, _ in asked], self.noise)
        return self.graph({"noise": noise, "class": np.array([place for _, place in asked], np.int32)})

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the picture of each mapping with `seed` and `class`, or of JSON of one."""
        return [{"picture": picture} for picture in as_levels(self.outputs(inputs))]

    def _asked(self, value: Any) -> tuple[int, int]:
        try:
            asked: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
            seed, name = int(asked["seed"]), str(asked["class"])
            if seed < 0:
                raise ValueError(seed)
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f'An input is JSON such as {{"seed": 7, "class": "{self.labels[0]}"}}. Received: {value!r}.'
            ) from None
        if name not in self.labels:
            raise UserError(f"A class is one of {', '.join(self.labels)}. Received: {name!r}.")
        return seed, self.labels.index(name)


if __name__ == "__main__":
    main(Predictor)

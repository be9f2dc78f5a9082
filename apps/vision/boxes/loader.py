"""Boxes from an export of a detector, without Keras; pictures are read by Pillow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.vision.boxes.answers import OVERLAP, answer_of, candidates_of
from apps.vision.boxes.letterbox import Letterbox, letterboxed
from core.data.picture import in_shape
from core.errors import UserError
from core.exporting.runtime import Graph, main

BATCH = 16  # pictures that the graph takes at once


class Predictor:
    """Finds the objects of pictures: the graph says what every place sees, NumPy makes boxes of it.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/cells/exports/onnx").predict(["blood.jpg"])  # doctest: +SKIP
    [{'boxes': [{'label': 'RBC', 'box': [78.1, 336.0, 184.2, 435.3], 'score': 0.97}], 'size': [480, 640]}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.graph = Graph(folder)

    def outputs(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return what the graph says of pictures, by the names of its outputs."""
        shape = self._shape
        return self.graph.named(
            {"image": np.stack([letterboxed(self._picture(each), shape) for each in inputs])}
        )

    def predict(
        self,
        inputs: Sequence[Any],
        confidence: float = 0.25,
        overlap: float = OVERLAP,
        soft: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the boxes of each picture, the surest first, in its own pixels, and its size.

        Args:
            inputs: Paths of picture files, or uint8 arrays of shape `(height, width, channels)`.
            confidence: Of each box, at least.
            overlap: Of a box with a surer one of its class, above which it is left out.
            soft: Lower the confidence of such boxes instead of leaving them out.
        """
        asked = {"confidence": confidence, "overlap": overlap, "soft": soft}
        return [answer for block in self._blocks(inputs) for answer in self._answers(block, asked)]

    @staticmethod
    def _blocks(inputs: Sequence[Any]) -> Iterator[Sequence[Any]]:
        for start in range(0, len(inputs), BATCH):
            yield inputs[start : start + BATCH]

    def _answers(self, inputs: Sequence[Any], asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        pictures = [self._picture(each) for each in inputs]
        candidates = candidates_of(self.outputs(pictures), self._shape)
        for each, picture in zip(candidates, pictures, strict=True):
            fitted = Letterbox.of((picture.shape[0], picture.shape[1]), self._shape)
            yield answer_of(each, self.settings["labels"], fitted, **asked)

    @property
    def _shape(self) -> tuple[int, int]:
        height, width, _ = self.settings["shape"]
        return height, width

    def _picture(self, value: Any) -> np.ndarray:
        channels = self.settings["shape"][2]
        if isinstance(value, np.ndarray):
            if value.ndim == 3 and value.shape[2] == channels and value.dtype == np.uint8:
                return value
            raise UserError(
                f"A picture must be uint8 of shape (height, width, {channels}). "
                f"Received: {value.dtype} of shape {value.shape}."
            )
        from PIL import Image

        try:
            if isinstance(value, str | Path) and Path(value).exists() and not Path(value).is_file():
                raise ValueError("it is no file")
            with Image.open(value) as opened:
                return in_shape(opened, None, channels)
        except Exception as error:  # what a decoder raises at a broken file is anything
            raise UserError(f"{value} can't be read as a picture: {error}.") from None


if __name__ == "__main__":
    main(Predictor)

"""Masks from an export of a segmentation, without Keras; pictures are read by Pillow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.vision.masks.segmenter import Segmenter
from core.data.picture import in_shape
from core.errors import UserError
from core.exporting.runtime import Graph, main


class Predictor:
    """Says of each pixel of pictures what it shows.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/cells/exports/onnx").predict(["slice.png"])  # doctest: +SKIP
    [{'mask': array([[255, ...]], dtype=uint8), 'classes': [{'class': '0', ...}, ...]}]
    """

    def __init__(self, folder: Path | str) -> None:
        settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.channels = settings.pop("channels")
        graph = Graph(folder)
        self.segmenter = Segmenter(lambda tiles: graph({"image": tiles}), **settings)

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the logits of pictures, float32, shape `(height, width, num_classes)` each."""
        return [self.segmenter.logits(self._picture(value)) for value in inputs]

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the mask of each picture file, or array of uint8, and the share of each class."""
        return [self.segmenter.answer(self._picture(value)) for value in inputs]

    def _picture(self, value: Any) -> np.ndarray:
        if isinstance(value, np.ndarray):
            return value
        from PIL import Image

        try:
            if Path(value).exists() and not Path(value).is_file():
                raise ValueError("it is no file")
            with Image.open(value) as opened:
                return in_shape(opened, None, self.channels)
        except Exception as error:  # what a decoder raises at a broken file is anything
            raise UserError(f"{value} can't be read as a picture: {error}.") from None


if __name__ == "__main__":
    main(Predictor)

"""Answers from an export of a picture classification, without Keras; pictures are read by Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.data.dicom import NoDicomReaderError, opened_picture
from core.data.picture import in_shape
from core.data.picture_levels import Levels
from core.errors import UserError
from core.exporting.classifier import Classifier
from core.exporting.runtime import main


class Predictor(Classifier):
    """Names what pictures show.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/digits/exports/onnx").predict(["seven.png"])  # doctest: +SKIP
    [{'label': '7', 'probability': 0.99, ...}]
    """

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return paths of picture files, or arrays in the graph's shape, as one uint8 array."""
        return {"image": np.stack([self._picture(value) for value in inputs])}

    def _picture(self, value: Any) -> np.ndarray:
        height, width, channels = self.settings["shape"]
        if isinstance(value, np.ndarray):
            if value.shape == (height, width, channels) and value.dtype == np.uint8:
                return value
            raise UserError(
                f"A picture must be uint8 of shape {(height, width, channels)}. "
                f"Received: {value.dtype} of shape {value.shape}."
            )
        levels = Levels(*self.settings["levels"]) if self.settings.get("levels") else None
        try:
            if isinstance(value, str | Path) and Path(value).exists() and not Path(value).is_file():
                raise ValueError("it is no file")
            with opened_picture(value, levels) as opened:
                return in_shape(opened, (height, width), channels, levels=levels)
        except NoDicomReaderError as error:
            raise UserError(f"{error} Received: {value}.") from None
        except Exception as error:  # what a decoder raises at a broken file is anything
            raise UserError(f"{value} can't be read as a picture: {error}.") from None


if __name__ == "__main__":
    main(Predictor)

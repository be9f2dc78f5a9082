"""Pictures from an export of an enhancement, without Keras; pictures are read by Pillow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.vision.restoring.restorer import Restorer
from core.data.picture import in_shape
from core.errors import UserError
from core.exporting.runtime import Graph, main


class Predictor:
    """Restores pictures.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/sharper/exports/onnx").predict(["holiday.jpg"])  # doctest: +SKIP
    [{'picture': array([[[...]]], dtype=uint8)}]
    """

    def __init__(self, folder: Path | str) -> None:
        settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.channels = settings.pop("channels")
        graph = Graph(folder)
        self.restorer = Restorer(lambda tiles: 255 * graph({"planes": tiles}), **settings)

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the restored planes of planes, float32, levels of 255."""
        return [self.restorer.planes(planes) for planes in inputs]

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the restored picture of each picture file, or array of uint8."""
        return [{"picture": self._restored(value)} for value in inputs]

    def _restored(self, value: Any) -> np.ndarray:
        if isinstance(value, np.ndarray) and value.dtype == np.float32:
            return self.restorer.planes(value)
        try:
            return self.restorer.picture(value if isinstance(value, np.ndarray) else self._read(value))
        except ValueError as error:
            raise UserError(f"The picture is too large: {error}.") from None

    def _read(self, path: str | Path) -> np.ndarray:
        from PIL import Image

        try:
            if Path(path).exists() and not Path(path).is_file():
                raise ValueError("it is no file")
            with Image.open(path) as opened:
                return in_shape(opened, None, self.channels)
        except Exception as error:  # what a decoder raises at a broken file is anything
            raise UserError(f"{path} can't be read as a picture: {error}.") from None


if __name__ == "__main__":
    main(Predictor)

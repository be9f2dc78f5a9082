"""Answers from an export of spoken commands, without Keras; sounds are read by soundfile and soxr."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.data.sound import at_full_scale, in_window, one_channel
from core.errors import UserError
from core.exporting.classifier import Classifier
from core.exporting.runtime import main


class Predictor(Classifier):
    """Names the words that are spoken in recordings.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/commands/exports/onnx").predict(["seven.wav"])  # doctest: +SKIP
    [{'label': 'seven', 'probability': 0.99, ...}]
    """

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return sound files, or int16 waves at the graph's rate, as windows of fixed length."""
        num_samples = self.settings["num_samples"]
        return {"waves": np.stack([in_window(self._wave(value), num_samples) for value in inputs])}

    def _wave(self, value: Any) -> np.ndarray:
        if isinstance(value, np.ndarray):
            if value.ndim == 1 and len(value) and value.dtype == np.int16:
                return value
            raise UserError(
                f"A wave must be int16 of shape (num_samples,), not empty. "
                f"Received: {value.dtype} of shape {value.shape}."
            )
        import soundfile

        full_scale = self.settings.get("full_scale", 1.0)
        try:
            if isinstance(value, str | Path) and Path(value).exists() and not Path(value).is_file():
                raise ValueError("it is no file")
            with soundfile.SoundFile(value) as file:
                sound = at_full_scale(file.read(dtype="float32", always_2d=True), file.subtype, full_scale)
                return one_channel(sound, file.samplerate, self.settings["sample_rate"])
        except Exception as error:  # what a decoder raises at a broken file is anything
            raise UserError(f"{value} can't be read as a recording: {error}") from None


if __name__ == "__main__":
    main(Predictor)

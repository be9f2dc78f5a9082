"""Answers from an export of spoken commands, without Keras; sounds are read by soundfile and soxr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.speech.sound_files import wave_of
from core.data.sound import in_window
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
        settings = self.settings
        rate, full_scale = settings["sample_rate"], settings.get("full_scale", 1.0)
        waves = (wave_of(value, rate, full_scale) for value in inputs)
        return {"waves": np.stack([in_window(wave, settings["num_samples"]) for wave in waves])}


if __name__ == "__main__":
    main(Predictor)

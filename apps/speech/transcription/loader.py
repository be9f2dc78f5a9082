"""Transcripts from an export, without Keras; sounds are read by soundfile and soxr."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.speech.sound_files import wave_of
from apps.speech.transcription.answers import in_batches
from apps.speech.transcription.decoder import CTCDecoder, Decoder
from apps.speech.transcription.frames import frames_of
from core.exporting.runtime import Graph, main


class Predictor:
    """Writes down what is said in recordings.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/requests/exports/onnx").predict(["request.wav"])  # doctest: +SKIP
    [{'text': 'turn on the light', 'words': [{'word': 'turn', 'start': 0.12, 'end': 0.28, ...}, ...]}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.decoder = self._decoder()
        self.graph = Graph(folder)

    def _decoder(self) -> Decoder:
        return CTCDecoder.of(self.settings)

    def outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Return the logarithms of probabilities of each sound, float32, `(num_frames, num_units + 1)`.

        Args:
            inputs: Sound files, or int16 waves at the graph's rate.
        """
        settings = self.settings
        waves = [wave_of(value, settings["sample_rate"], settings["full_scale"]) for value in inputs]
        return in_batches(
            waves,
            settings["window"],
            settings["bucket"],
            settings["batch_size"],
            lambda padded, lengths: self.graph({"waves": padded, "num_samples": lengths}),
            lambda lengths: frames_of(lengths, settings["window"], settings["hop"], settings["stages"]),
        )

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the text of each sound, and its words with their times."""
        return [self.decoder.answer(log_p) for log_p in self.outputs(inputs)]


if __name__ == "__main__":
    main(Predictor)

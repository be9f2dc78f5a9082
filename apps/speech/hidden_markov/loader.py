"""Transcripts from an export of a hybrid recogniser, without Keras; sounds are read by soundfile and soxr."""

from __future__ import annotations

from apps.speech.hidden_markov.decoder import HybridDecoder
from apps.speech.transcription.loader import Predictor as TranscriptPredictor
from core.exporting.runtime import main


class Predictor(TranscriptPredictor):
    """Writes down what is said in recordings, by the words of its lexicon."""

    def _decoder(self) -> HybridDecoder:
        return HybridDecoder.of(self.settings)


if __name__ == "__main__":
    main(Predictor)

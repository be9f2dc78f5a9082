"""The metrics that Keras, KerasRS and KerasHub lack; they need Keras and NumPy alone.

Importing this package registers them all, so that `keras.saving.load_model` finds them.
"""

from __future__ import annotations

from core.metrics.classification import ExpectedCalibrationError, F1Score
from core.metrics.detection import MeanAveragePrecision, intersection_over_union, matches
from core.metrics.entities import EntityF1, entities_of
from core.metrics.generated import coverage, frechet_distance, kernel_shares
from core.metrics.image import PSNR, SSIM
from core.metrics.language import BitsPerCharacter, Perplexity
from core.metrics.pitch import pitch_errors, pitch_track
from core.metrics.ranking import NDCG, HitRate, MeanReciprocalRank, RecallAtK
from core.metrics.sound import (
    dynamic_time_warping,
    log_spectral_distance,
    mel_cepstra,
    mel_cepstral_distortion,
    spectrogram,
)
from core.metrics.transcription import (
    CharacterErrorRate,
    TokenErrorRate,
    WordErrorRate,
    edit_distance,
    plain_words,
)
from core.metrics.translation import bleu_counts, bleu_of, chrf_counts, chrf_of

__all__ = [
    "NDCG",
    "PSNR",
    "SSIM",
    "BitsPerCharacter",
    "CharacterErrorRate",
    "EntityF1",
    "ExpectedCalibrationError",
    "F1Score",
    "HitRate",
    "MeanAveragePrecision",
    "MeanReciprocalRank",
    "Perplexity",
    "RecallAtK",
    "TokenErrorRate",
    "WordErrorRate",
    "bleu_counts",
    "bleu_of",
    "chrf_counts",
    "chrf_of",
    "coverage",
    "dynamic_time_warping",
    "edit_distance",
    "entities_of",
    "frechet_distance",
    "intersection_over_union",
    "kernel_shares",
    "log_spectral_distance",
    "matches",
    "mel_cepstra",
    "mel_cepstral_distortion",
    "pitch_errors",
    "pitch_track",
    "plain_words",
    "spectrogram",
]

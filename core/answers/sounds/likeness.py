"""How like two sounds are, as a row of answers tells it."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.answers.compared import hash_of
from core.shown import Sound

FULL_SCALE = 32768.0


def likeness(predicted: Sound, true: Sound) -> dict[str, Any]:
    """Return what a row tells of a predicted sound and the true one.

    Args:
        predicted: The answer.
        true: The truth, of the same sample rate and of any length.

    Returns:
        `mel_cepstral_distortion` and `log_spectral_distance` in decibels; `length_ratio`, the length of the
        answer in units of the truth's; and `truth`, a hash of the true sound, by which the answers of two
        models are known to be about the same.

    Raises:
        ValueError: The sample rates differ, or the true sound is empty.

    Example:

    >>> wave = np.random.default_rng(0).normal(0, 3000, 8000).astype(np.int16)
    >>> figures = likeness(Sound(wave[:4000], 8000), Sound(wave, 8000))
    >>> figures["length_ratio"], figures["log_spectral_distance"] > 10
    (0.5, True)
    """
    from core.metrics.sound import log_spectral_distance, mel_cepstral_distortion

    if predicted.sample_rate != true.sample_rate or not len(true.wave):
        raise ValueError(
            "Sounds to be compared must have one sample rate, and the true one at least a sample. Received: "
            f"{predicted.sample_rate} and {true.sample_rate} samples a second, {len(true.wave)} samples."
        )
    ours, theirs = (wave_of(sound) for sound in (predicted, true))
    return {
        "mel_cepstral_distortion": mel_cepstral_distortion(ours, theirs, true.sample_rate),
        "log_spectral_distance": log_spectral_distance(ours, theirs, true.sample_rate),
        "length_ratio": len(ours) / len(theirs),
        "truth": hash_of(true.wave),
    }


def wave_of(sound: Sound) -> np.ndarray:
    """Return the wave of a sound as floats, full scale at 1."""
    return np.asarray(sound.wave, np.float64) / FULL_SCALE

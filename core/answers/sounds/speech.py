"""Spoken sounds as answers: likeness in timbre, in pitch, and in where there is a voice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from core.answers.rows import Direction
from core.answers.sounds.likeness import likeness, wave_of
from core.answers.sounds.sounds import Sounds
from core.shown import Sound


class SpokenSounds(Sounds):
    """How like the true speech the answers are, however fast each is spoken.

    Args:
        measured: `mel_cepstral_distortion` in decibels, `f0_error` in cents, `voicing_error` as a share, and
            what stands beside them, those that there are, each of shape `(num_sounds,)`.
        truth: What tells the true sounds apart, shape `(num_sounds,)`.
    """

    figures: ClassVar[Mapping[str, Direction]] = {
        "mel_cepstral_distortion": "min",
        "f0_error": "min",
        "voicing_error": "min",
    }

    @classmethod
    def likeness_of(cls, predicted: Any, true: Any) -> dict[str, Any]:
        """Return `spoken_likeness` of two sounds."""
        if not (isinstance(predicted, Sound) and isinstance(true, Sound)):
            raise KeyError(cls.figure())
        return spoken_likeness(predicted, true)


def spoken_likeness(predicted: Sound, true: Sound) -> dict[str, Any]:
    """Return what a row tells of predicted speech and the true one: `likeness`, `f0_error`, `voicing_error`.

    Args:
        predicted: The answer.
        true: The truth, of the same sample rate and of any length.

    Raises:
        ValueError: The sample rates differ, or the true sound is empty.
    """
    from core.metrics.pitch import pitch_errors

    figures = likeness(predicted, true)
    f0_error, voicing_error = pitch_errors(wave_of(predicted), wave_of(true), true.sample_rate)
    return {**figures, "f0_error": f0_error, "voicing_error": voicing_error}

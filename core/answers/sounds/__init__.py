"""Answers that are sounds."""

from core.answers.sounds.likeness import likeness
from core.answers.sounds.sounds import Sounds
from core.answers.sounds.speech import SpokenSounds, spoken_likeness

__all__ = ["Sounds", "SpokenSounds", "likeness", "spoken_likeness"]

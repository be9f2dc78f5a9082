"""Answers that are sounds."""

from core.answers.sounds.likeness import likeness
from core.answers.sounds.sounds import Sounds

__all__ = ["Sounds", "likeness"]

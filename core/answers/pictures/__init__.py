"""Answers that are pictures."""

from core.answers.pictures.likeness import likeness
from core.answers.pictures.pictures import Pictures

__all__ = ["Pictures", "likeness"]

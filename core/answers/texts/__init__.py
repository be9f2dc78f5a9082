"""Answers that are texts."""

from core.answers.texts.texts import FreeTexts, Texts, Transcripts

__all__ = ["FreeTexts", "Texts", "Transcripts"]

"""Answers that are texts."""

from core.answers.texts.continuations import Continuations
from core.answers.texts.replies import Replies
from core.answers.texts.texts import FreeTexts, Texts, Transcripts
from core.answers.texts.translations import Translations

__all__ = ["Continuations", "FreeTexts", "Replies", "Texts", "Transcripts", "Translations"]

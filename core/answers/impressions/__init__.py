"""Answers that order what was shown to somebody, some of which was clicked."""

from core.answers.impressions.impressions import Impressions

__all__ = ["Impressions"]

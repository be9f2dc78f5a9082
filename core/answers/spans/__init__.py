"""Answers that are found in a context."""

from core.answers.spans.spans import Spans

__all__ = ["Spans"]

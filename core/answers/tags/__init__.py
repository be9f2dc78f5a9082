"""Answers that label each word, and so name the entities of a text."""

from core.answers.tags.tags import Tags

__all__ = ["Tags"]

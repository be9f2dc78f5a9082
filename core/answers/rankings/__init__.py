"""Answers that rank items for a user."""

from core.answers.rankings.rankings import Rankings

__all__ = ["Rankings"]

"""Answers that are numbers."""

from core.answers.numbers.numbers import Numbers

__all__ = ["Numbers"]

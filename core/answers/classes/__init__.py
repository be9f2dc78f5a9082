"""Answers that name a class."""

from core.answers.classes.classes import Classes

__all__ = ["Classes"]

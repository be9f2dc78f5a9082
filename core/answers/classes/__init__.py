"""Answers that name a class."""

from core.answers.classes.classes import Classes, EqualClasses

__all__ = ["Classes", "EqualClasses"]

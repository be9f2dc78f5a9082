"""Masked words that are filled in."""

from core.answers.fillings.fillings import Fillings

__all__ = ["Fillings"]

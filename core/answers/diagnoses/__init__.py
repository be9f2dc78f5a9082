"""Answers of how likely somebody has something."""

from core.answers.diagnoses.diagnoses import Diagnoses, figures_of

__all__ = ["Diagnoses", "figures_of"]

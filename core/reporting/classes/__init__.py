"""Answers that name a class."""

from core.reporting.classes.answers import ClassAnswers
from core.reporting.classes.findings import findings
from core.reporting.classes.pictures import pictures

__all__ = ["ClassAnswers", "findings", "pictures"]

"""Answers that are numbers."""

from core.reporting.numbers.answers import NumberAnswers
from core.reporting.numbers.findings import findings
from core.reporting.numbers.pictures import pictures

__all__ = ["NumberAnswers", "findings", "pictures"]

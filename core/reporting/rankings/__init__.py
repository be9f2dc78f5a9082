"""Answers that rank items for a user."""

from core.reporting.rankings.answers import RankedAnswers
from core.reporting.rankings.findings import findings
from core.reporting.rankings.pictures import pictures

__all__ = ["RankedAnswers", "findings", "pictures"]

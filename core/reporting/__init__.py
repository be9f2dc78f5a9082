"""Reports of runs, and of any model's answers."""

from core.reporting.report import report, report_runs
from core.shown import Sound

__all__ = ["Sound", "report", "report_runs"]

"""One thing to mend."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing to mend.

    Args:
        title: What it is, in a line.
        evidence: The numbers that show it.
        advice: What to do about it.
        stake: Share of all that the model loses (mistakes, squared error, missed gain) that it concerns.
        section: Of the report, where more is shown.
    """

    title: str
    evidence: str
    advice: str
    stake: float
    section: str

"""What most needs mending in predicted numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.answers.finding import Finding

SURE = 3  # standard errors


def findings(tree: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield predictions that are off on the whole, and the level of the truth that they miss most."""
    details = tree["details"]
    off, error = details["mean_residual"], details["standard_error"]
    if abs(off) > SURE * error:
        yield Finding(
            f"Predictions are too {'high' if off > 0 else 'low'} on the whole",
            f"by {abs(off):.4f} on average, with a standard error of {error:.4f}",
            "Is the test part of another time or source than the training part? Then train on data like it.",
            off**2 / tree["mean_loss"],
            "residuals",
        )
    levels = details["levels"]
    if len(levels) < 3:
        return
    worst = max(levels, key=lambda level: level["rmse"])
    share = worst["examples"] / sum(level["examples"] for level in levels)
    way = "high" if worst["predicted"] > worst["truth"] else "low"
    yield Finding(
        f"Examples of about {worst['truth']:.3g} are predicted too {way}",
        f"as {worst['predicted']:.3g} on average; they are {share:.0%} of the examples and "
        f"{worst['share_of_loss']:.0%} of the squared error",
        "Look at whether anything tells them from the others: a column that the model lacks, or labels that "
        "are noise.",
        max(worst["share_of_loss"] - share, 0.0),
        "residuals",
    )

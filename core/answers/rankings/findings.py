"""What most needs mending in recommendations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.answers.finding import Finding

UNEVEN = 0.15  # share of all recommendations that ten items may have


def findings(tree: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a few items that are recommended to everybody, and users who get nothing."""
    details = tree["details"]
    share = details["share_of_most"]
    if share > UNEVEN and details["distinct_recommended"] > 20:
        yield Finding(
            "Few items are recommended to many",
            f"ten items are {share:.0%} of all recommendations; {details['distinct_recommended']} items are "
            "recommended at all",
            "Weigh popular items less (a larger task.exponent), or more factors: task.dim.",
            share / 2,
            "places",
        )
    if details["missed"]:
        yield Finding(
            "Most users get nothing they then chose"
            if 2 * details["missed"] > details["users"]
            else "Some users get nothing they then chose",
            f"{details['missed']} of {details['users']} users have none of their choices in the list of 10",
            "Look at some of them: is what they chose in the training part at all, and how often?",
            details["missed"] / details["users"] / 4,
            "mistakes",
        )

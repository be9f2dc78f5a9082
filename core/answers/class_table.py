"""The table of classes that a console prints below the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.answers.kind import Table
from core.wording import number

MOST_LISTED = 20  # classes


def weakest_classes(per_class: Mapping[str, Mapping[str, Any]] | None, figure: str) -> Table | None:
    """Return a table with a row a class; of many the weakest, and nothing where there are none.

    Args:
        per_class: Class to its figures by name.
        figure: By which a class is weak; what isn't known of it counts as 0.

    Example:

    >>> weakest_classes({"cat": {"recall": 0.5}}, "recall").rows
    [['cat', '0.5000']]
    """
    if not per_class:
        return None
    listed = list(per_class)
    if many := len(listed) > MOST_LISTED:
        listed = sorted(listed, key=lambda label: per_class[label][figure] or 0.0)[:MOST_LISTED]
    return Table(
        f"The {MOST_LISTED} weakest classes" if many else "",
        ["class", *per_class[listed[0]]],
        [[label, *map(number, per_class[label].values())] for label in listed],
    )

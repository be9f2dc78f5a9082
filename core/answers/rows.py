"""What judging hands on: figures by name, and one row an example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Figures = dict[str, Any]
"""What `evaluate` returns: figure by name; tables, such as `per_class`, may stand among them."""
Direction = Literal["min", "max"]
"""Whether a figure is better small or large."""
Write = Callable[[dict[str, Any]], None]
"""Takes one row of `predictions.jsonl`."""


def written_by(rival: str, write: Write | None) -> Write | None:
    """Return what writes rows of one rival, for `baseline`; nothing where nothing is written."""
    return None if write is None else lambda row: write({"rival": rival, **row})

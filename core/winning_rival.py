"""Saying that a rival of the same run has won, by how much, and what may mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.wording import number

ADVICE = (
    "Use the rival, or try `quartet tune`, a longer training (fit.epochs) or more data; "
    "`quartet report` tells if this is more than chance."
)


def winning_rival(metrics: Mapping[str, Any], directions: Mapping[str, Literal["min", "max"]]) -> str | None:
    """Return a sentence that says which rival is better than the model, or nothing where none is.

    Args:
        metrics: What `metrics.json` or `folds.json` holds.
        directions: Name of each figure to whether it should be small or large; the first is judged by.

    Example:

    >>> metrics = {"test": {"rmse": 0.9}, "baseline": {"biases only": {"rmse": 0.8}}}
    >>> winning_rival(metrics, {"rmse": "min"}).split(". ")[0]
    'biases only wins over the model: rmse 0.8000 beside 0.9000, by 0.1000'
    """
    name = next(iter(directions), None)
    if name is None or not _is_figure(metrics["test"].get(name)):
        return None
    sign = -1 if directions[name] == "min" else 1
    theirs = {
        rival: figures[name]
        for rival, figures in metrics["baseline"].items()
        if _is_figure(figures.get(name))
    }
    own = metrics["test"][name]
    best = max(theirs, key=lambda rival: sign * _middle(theirs[rival]), default=None)
    if best is None or sign * (_middle(theirs[best]) - _middle(own)) <= 0:
        return None
    gap = abs(_middle(theirs[best]) - _middle(own))
    beside = f"{name} {number(theirs[best])} beside {number(own)}, by {gap:.4f}"
    return f"{best} wins over the model: {beside}. {ADVICE}"


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Mapping) and "mean" in value)


def _middle(value: Any) -> float:
    """Return a figure, or its mean over folds."""
    return float(value["mean"] if isinstance(value, Mapping) else value)

"""Results by slice: which kinds of examples a model is worse at than at the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.answers.significance import difference_p
from core.data.columns import MOST_VALUES

if TYPE_CHECKING:
    from core.answers.calibration import Calibration
    from core.answers.kind import Answers

NUM_BINS = 4  # of a column of numbers
SMALLEST = 20  # examples of a slice that can be called the worst
SIGNIFICANT = 0.05


def groups_of(column: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the group of each value, int, and the groups' names: few values as they are, numbers in ranges.

    Example:

    >>> groups_of(np.arange(1, 13))[1]
    ['1 to 3', '4 to 6', '7 to 9', '10 to 12']
    """
    numeric = column.dtype.kind in "iufbM"
    values, places, counts = np.unique(column, return_inverse=True, return_counts=True)
    if not numeric or len(values) <= 2 * NUM_BINS:
        if len(values) <= MOST_VALUES:
            return places, [_named(value) for value in values]
        common = np.argsort(-counts, kind="stable")[: MOST_VALUES - 1]
        new_place = np.full(len(values), MOST_VALUES - 1)
        new_place[common] = np.arange(MOST_VALUES - 1)
        return new_place[places], [*(_named(value) for value in values[common]), "others"]
    quarters = np.sort(column)[np.linspace(0, len(column) - 1, NUM_BINS + 1)[1:-1].astype(int)]
    bins = np.searchsorted(np.unique(quarters), column, side="left")
    used, groups = np.unique(bins, return_inverse=True)
    ranges = [(column[bins == place].min(), column[bins == place].max()) for place in used]
    return groups, [
        _named(low) if low == high else f"{_named(low)} to {_named(high)}" for low, high in ranges
    ]


def _named(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{float(value):.3g}" if abs(float(value)) < 1000 else f"{float(value):.0f}"
    return str(value)


def by_slice(
    answers: Answers, columns: Mapping[str, np.ndarray], calibration: Calibration | None = None
) -> list[dict[str, Any]]:
    """Return the figure of every slice of every column, and how surely it differs from the rest.

    The p-values are corrected together, so that of many slices that chance alone made uneven few are called
    significant (Benjamini and Hochberg, Controlling the False Discovery Rate, 1995).

    Args:
        answers: What is judged.
        columns: Name to a value an example.
        calibration: Of the run, where it is calibrated.

    Returns:
        One mapping a slice: `column`, `value`, `examples`, `figure`, `rest` (the figure of all others),
        `beside` (what else is told of it), `excess` (share of all examples by which its loss is above the
        rest's), `p`, `significant`.
    """
    from scipy.stats import false_discovery_control

    losses = np.asarray(answers.losses, np.float64)
    slices: list[Any] = []
    for name, column in columns.items():
        groups, names = groups_of(column)
        if len(names) < 2:
            continue
        for place, value in enumerate(names):
            inside = groups == place
            beside = answers.told_of(np.flatnonzero(inside), calibration)
            slices.append(
                {"column": name, "value": value, "beside": beside, **_slice(answers, losses, inside)}
            )
    tested = [each for each in slices if each["p"] is not None]
    if tested:
        corrected = false_discovery_control([each["p"] for each in tested])
        for each, p in zip(tested, corrected, strict=True):
            each["p"] = float(p)
            each["significant"] = bool(p < SIGNIFICANT)
    return slices


def _slice(answers: Answers, losses: np.ndarray, inside: np.ndarray) -> dict[str, Any]:
    own, rest = losses[inside], losses[~inside]
    return {
        "examples": len(own),
        "figure": answers.of_loss(float(own.mean())),
        "rest": answers.of_loss(float(rest.mean())) if len(rest) else None,
        "excess": float((own.mean() - rest.mean()) * len(own) / len(losses)) if len(rest) else 0.0,
        "p": difference_p(own, rest) if min(len(own), len(rest)) >= SMALLEST else None,
        "significant": False,
    }


def worst_slice(slices: list[dict[str, Any]], lower_is_better: bool) -> dict[str, Any] | None:
    """Return the slice of the worst figure among those that differ significantly, or else among the large."""
    candidates = [each for each in slices if each["p"] is not None and each["excess"] > 0]
    sure = [each for each in candidates if each["significant"]]
    sign = -1 if lower_is_better else 1
    return min(sure or candidates, key=lambda each: float(sign * each["figure"]), default=None)

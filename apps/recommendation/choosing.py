"""Which method ranks best: candidates are judged on choices held out of the training part, cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.catalogue.judging import ScoreUsers, ranking_figures
from core.data.examples import Examples

JUDGED_USERS = 5_000  # at most
FLOPS = 4e10  # a second, of dense products on two cores; only estimates depend on it
SCATTERED = 5e7  # numbers a second, where one is handled at a time


@dataclass(frozen=True, eq=False)
class Candidate:
    """A method with its settings.

    Args:
        settings: Of the task; what makes it this candidate.
        seconds: How long to fit and judge it may take, estimated from sizes, so that a resume and another
            machine choose alike.
        fitted: From choices to scores.
    """

    settings: Mapping[str, Any]
    seconds: float
    fitted: Callable[[Interactions], ScoreUsers]


def judged_candidates(
    candidates: Sequence[Candidate], rest: Interactions, held: Interactions, seconds: float
) -> list[dict[str, Any]]:
    """Return what was seen of each candidate, best first.

    Args:
        candidates: In any order; the cheapest is always judged.
        rest: What they learn from.
        held: What they should find, at least one choice.
        seconds: Once this much is used up by estimate, no dearer candidate is judged.

    Returns:
        `settings`, `ndcg@10` and the estimated `seconds` of each that was judged.
    """
    seen, spent = rest.matrix(), 0.0
    judged: list[dict[str, Any]] = []
    for candidate in sorted(candidates, key=lambda each: each.seconds):
        if judged and spent + candidate.seconds > seconds:
            break
        spent += candidate.seconds
        figures = ranking_figures(candidate.fitted(rest), held, seen, most_users=JUDGED_USERS)
        judged.append(
            {
                "settings": dict(candidate.settings),
                "ndcg@10": round(figures["ndcg@10"], 6),
                "seconds": round(candidate.seconds, 2),
            }
        )
    return sorted(judged, key=lambda each: -each["ndcg@10"])


def one_of_each(examples: Examples, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows stay and which are held out: of each user with three choices or more, one.

    It is the last by time or by order, where the examples have these, else any.

    Args:
        examples: Of the training part.
        seed: Of the draw.

    Returns:
        Two arrays of row numbers.

    Example:

    >>> rows = Examples({"user": list("aabba"), "item": list("12345"), "time": [3, 1, 1, 2, 2]})
    >>> [places.tolist() for places in one_of_each(rows, seed=0)]
    [[1, 2, 3, 4], [0]]
    """
    _, users = np.unique(examples["user"], return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(users))
    time = next((examples[name] for name in ("time", "order") if name in examples), drawn)
    order = np.lexsort((time, users))
    counts = np.bincount(users)
    last = order[np.cumsum(counts)[counts >= 3] - 1]
    return np.setdiff1d(np.arange(len(users)), last), np.sort(last)


def neighbours_seconds(data: Interactions) -> float:
    """Return how long item neighbours may take."""
    each = np.bincount(data.users).astype(np.float64)
    return float((each**2).sum() / SCATTERED + data.num_items**2 / SCATTERED)


def ease_seconds(data: Interactions, most_items: int) -> float:
    """Return how long EASE may take on the most chosen items."""
    num_items = min(data.num_items, most_items)
    return num_items**3 / FLOPS + 2 * num_items**2 / SCATTERED


def least_squares_seconds(data: Interactions, dim: int, num_sweeps: int) -> float:
    """Return how long alternating least squares may take."""
    work = 0.0
    for ids in (data.users, data.items):
        counts = np.bincount(ids).astype(np.float64)
        smaller = np.minimum(counts, dim)  # the side of the matrix that is solved for a row
        work += float((2 * counts * dim * smaller + smaller**3).sum()) + len(counts) * 2 * dim**2
    return num_sweeps * work / (FLOPS / 8)


def judging_seconds(data: Interactions) -> float:
    """Return how long it may take to judge a candidate."""
    return min(data.num_users, JUDGED_USERS) * data.num_items / SCATTERED


def in_words(tried: Sequence[Mapping[str, Any]]) -> str:
    """Return what was seen of the candidates, in a line.

    Example:

    >>> ease = {"settings": {"method": "ease", "ease_penalty": 100.0}, "ndcg@10": 0.07, "seconds": 1.0}
    >>> in_words([ease, {"settings": {"method": "least_squares"}, "ndcg@10": 0.06, "seconds": 2.0}])
    'ease (ease_penalty=100) 0.0700, least_squares 0.0600'
    """
    parts = []
    for each in tried:
        others = {name: value for name, value in each["settings"].items() if name != "method"}
        words = ", ".join(
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in others.items()
        )
        parts.append(f"{each['settings']['method']}{f' ({words})' if words else ''} {each['ndcg@10']:.4f}")
    return ", ".join(parts)

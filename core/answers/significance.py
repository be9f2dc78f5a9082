"""What chance alone can do: intervals of figures, and whether two models really differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 1000
FEWEST_RESAMPLES = 200  # where there are so many examples that more would take minutes
MOST_DRAWS = 200_000_000
CONFIDENCE = 0.95
RESAMPLED_AT_ONCE = 2**20  # indices that are held in memory

Statistics = Callable[[np.ndarray], Mapping[str, float]]
"""From the indices of examples, repeats among them, to figures by name."""


class Interval(NamedTuple):
    """Where a figure of other examples of the same source is expected."""

    low: float
    high: float


class Difference(NamedTuple):
    """By how much the second of two models is above the first, and the interval of that."""

    value: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def intervals(
    statistics: Statistics,
    num_examples: int,
    *,
    confidence: float = CONFIDENCE,
    resamples: int | None = None,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return the bootstrap interval of each figure, from resampled examples.

    Args:
        statistics: From indices, int, shape `(num_examples,)`, to figures; called once a resample.
        num_examples: At least 1.
        confidence: Share of intervals that hold the true figure, 0 to 1.
        resamples: How often examples are drawn anew; by default 1000 times, less of more than 200,000.
        seed: Of the draws, so that a report is the same twice.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: percentiles.

    Example:

    >>> right = np.array([1.0] * 90 + [0.0] * 10)
    >>> low, high = intervals(lambda rows: {"accuracy": right[rows].mean()}, 100)["accuracy"]
    >>> round(low, 2), round(high, 2)
    (0.84, 0.96)
    """
    names = list(statistics(np.arange(num_examples)))
    if not names or num_examples < 2:  # one example says nothing of another
        return {name: Interval(-np.inf, np.inf) for name in names}
    from scipy.stats import bootstrap

    def stacked(indices: np.ndarray, axis: int = -1) -> np.ndarray:
        draws = [list(statistics(rows).values()) for rows in np.atleast_2d(indices)]
        return np.asarray(draws).T if indices.ndim > 1 else np.asarray(draws[0])

    confidence_interval = bootstrap(
        (np.arange(num_examples),),
        stacked,
        vectorized=True,
        batch=max(RESAMPLED_AT_ONCE // num_examples, 1),
        n_resamples=resamples or max(min(RESAMPLES, MOST_DRAWS // num_examples), FEWEST_RESAMPLES),
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    pairs = zip(np.atleast_1d(confidence_interval.low), np.atleast_1d(confidence_interval.high), strict=True)
    return {name: Interval(float(low), float(high)) for name, (low, high) in zip(names, pairs, strict=True)}


def paired_differences(
    first: Statistics, second: Statistics, num_examples: int, *, confidence: float = CONFIDENCE, seed: int = 0
) -> dict[str, Difference]:
    """Return by how much the second model's figures are above the first's on the same resampled examples.

    Args:
        first: Figures of one model, as `intervals` takes them.
        second: Of the other; figures that both have are compared.
        num_examples: That both answered, in the same order.
        confidence: Of the interval.
        seed: Of the draws.

    Example:

    >>> right = np.array([1.0] * 90 + [0.0] * 10)
    >>> always = paired_differences(
    ...     lambda rows: {"accuracy": right[rows].mean()}, lambda rows: {"accuracy": 1.0}, 100
    ... )["accuracy"]
    >>> round(always.value, 2), always.significant
    (0.1, True)
    """

    def difference(rows: np.ndarray) -> dict[str, float]:
        before, after = first(rows), second(rows)
        return {name: after[name] - before[name] for name in before if name in after}

    whole = difference(np.arange(num_examples))
    interval_of = intervals(difference, num_examples, confidence=confidence, seed=seed)
    return {name: Difference(float(whole[name]), *interval_of[name]) for name in whole}


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> float:
    """Return the probability of so uneven a disagreement between two classifiers that are equally good.

    The exact test: of the examples that one alone gets right, each is as likely to be either's.

    Args:
        first_right: Whether the one is right, bool, shape `(num_examples,)`.
        second_right: Whether the other is, on the same examples.

    Raises:
        ValueError: They did not answer the same number of examples.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions (1947).

    Example:

    >>> mcnemar(np.array([True, True, True, False]), np.array([False, False, False, False]))
    0.25
    """
    from scipy.stats import binomtest

    first_right, second_right = np.asarray(first_right, bool), np.asarray(second_right, bool)
    if first_right.shape != second_right.shape:
        raise ValueError(
            "Both classifiers must have answered the same examples. "
            f"Received: {len(first_right)} and {len(second_right)} answers."
        )
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values raised so that among all of them together a false alarm stays as rare as stated.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure (1979).

    Example:

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted.tolist()


def difference_p(own: np.ndarray, rest: np.ndarray) -> float:
    """Return how likely the means of two groups are so far apart by chance.

    Of what is 0 or 1 by Fisher's exact test, of other numbers by Welch's t-test.

    Args:
        own: Of the one group, shape `(num_own,)`, not empty.
        rest: Of the other, shape `(num_rest,)`, not empty.

    Example:

    >>> round(difference_p(np.array([1, 1, 1]), np.array([0, 0, 0])), 3)
    0.1
    """
    from scipy.stats import fisher_exact, ttest_ind

    if np.isin(own, (0, 1)).all() and np.isin(rest, (0, 1)).all():
        table = [[own.sum(), len(own) - own.sum()], [rest.sum(), len(rest) - rest.sum()]]
        return float(fisher_exact(np.asarray(table, np.int64)).pvalue)
    if np.ptp(own) == 0 and np.ptp(rest) == 0:
        return 1.0 if own[0] == rest[0] else 0.0
    return float(ttest_ind(own, rest, equal_var=False).pvalue)


def proportion_interval(hits: int, among: int, confidence: float = CONFIDENCE) -> Interval:
    """Return where a share of other examples of the same source is expected.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927).

    Example:

    >>> [round(bound, 3) for bound in proportion_interval(95, 100)]
    [0.888, 0.978]
    """
    from scipy.stats import binomtest

    bounds = binomtest(hits, among).proportion_ci(confidence, method="wilson")
    return Interval(float(bounds.low), float(bounds.high))

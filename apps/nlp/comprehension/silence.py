"""When no answer is better than the likeliest; needs NumPy alone."""

from __future__ import annotations

import numpy as np


def silence_threshold(scores: np.ndarray, answered: np.ndarray, silent: np.ndarray) -> float:
    """Return the score of the likeliest span up to which it is best to give no answer.

    Of several that are equally good, it is the nearest to 0.

    Args:
        scores: Of the likeliest span of each question, `(num_questions,)`, at least one.
        answered: What answering each is worth, such as its F1, `(num_questions,)`.
        silent: What giving none is worth, likewise.

    Example:

    >>> silence_threshold(np.array([-3.0, 1.0, 4.0]), np.array([0.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0]))
    2.5
    """
    order = np.argsort(scores)
    gains = (np.asarray(silent, np.float64) - answered)[order]
    # Of the questions in order, the first, the first two, and so on get no answer.
    worth = np.concatenate([[0.0], np.cumsum(gains)])
    ends = np.concatenate([[scores.min() - 1], scores[order], [scores.max() + 1]])
    between = (ends[:-1] + ends[1:]) / 2
    # Between equal scores there is no threshold.
    is_one = np.concatenate([[True], np.diff(scores[order]) > 0, [True]])
    worth = np.where(is_one, worth, -np.inf)
    best = between[worth >= worth.max() - 1e-9]
    return float(best[np.abs(best).argmin()])

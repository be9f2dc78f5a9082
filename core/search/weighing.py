"""One cost out of two objectives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.search.definition import Objective, TrialRecord


def weighted_costs(
    records: Sequence[TrialRecord], objectives: Sequence[Objective], seed: Sequence[int]
) -> np.ndarray:
    """Return the cost of each trial under weights that are drawn at random, float64, shape `(num_trials,)`.

    The weights tell which part of the front of best compromises is sought: draw them anew for each proposal.

    Args:
        records: Of trials that ended with both figures, at least one.
        objectives: Two.
        seed: Of the weights.

    Reference:
        Knowles, ParEGO (2006), equations 1 and 2
    """
    signs = {"min": 1.0, "max": -1.0}
    costs = np.array(
        [[signs[goal.direction] * record.measures[goal.name] for goal in objectives] for record in records]
    )
    spread = np.ptp(costs, axis=0)
    costs = (costs - costs.min(axis=0)) / np.where(spread > 0, spread, 1.0)
    first = np.random.default_rng(seed).uniform()
    weighted = costs * [first, 1 - first]
    return weighted.max(axis=1) + 0.05 * weighted.sum(axis=1)

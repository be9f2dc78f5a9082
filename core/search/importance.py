"""How much each hyperparameter mattered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.experiment import Choice, Range
from core.search.definition import Search, TrialRecord

FEWEST_TRIALS = 6
NUM_DRAWS = 1000
GRID = 15  # points in the middle of equal parts of a range


def importance(records: list[TrialRecord], search: Search) -> dict[str, float]:
    """Return the share of the objective's variance that each hyperparameter explains alone, largest first.

    A random forest learns the objective from the trials; its mean over all other hyperparameters, as one of
    them goes through its values, has a variance, which is set against that of the forest over the space.

    Args:
        records: Trials, of which those with a score count.
        search: Whose space and first objective are meant.

    Returns:
        Dotted path to a share of at least 0; they sum to 1 at most, the rest is what they do together. Empty
        where there are fewer than six trials.

    Reference:
        Hutter, Hoos and Leyton-Brown, 2014, An Efficient Approach for Assessing Hyperparameter Importance,
        equations 3 to 6, with draws in place of the sums over leaves
    """
    from scipy.stats import qmc
    from sklearn.ensemble import RandomForestRegressor

    goal, tune = search.objectives[0], search.experiment.tune
    scored = [record for record in records if record.score(goal) is not None]
    if len(scored) < FEWEST_TRIALS:
        return {}
    points = np.array([[_number(tune[path], record.values.get(path)) for path in tune] for record in scored])
    forest = RandomForestRegressor(200, min_samples_leaf=2, random_state=search.seed)
    forest.fit(points, [record.score(goal) for record in scored])
    shares_of_one = qmc.LatinHypercube(len(tune), seed=search.seed).random(NUM_DRAWS)
    space = np.stack(
        [_at(definition, share) for definition, share in zip(tune.values(), shares_of_one.T, strict=True)],
        axis=1,
    )
    total = float(np.var(forest.predict(space)))
    shares = {}
    for column, (path, definition) in enumerate(tune.items()):
        means = [_mean_at(forest, space, column, value) for value in _grid(definition)]
        shares[path] = min(float(np.var(means)) / total, 1.0) if total > 0 else 0.0
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _mean_at(forest: Any, space: np.ndarray, column: int, value: float) -> float:
    fixed = space.copy()
    fixed[:, column] = value
    return float(forest.predict(fixed).mean())


def _number(definition: Choice | Range, value: Any) -> float:
    if value is None:
        return -1.0
    if isinstance(definition, Choice):
        return float(definition.values.index(value))
    return math.log(value) if definition.scale == "log" else float(value)


def _ends(definition: Range) -> tuple[float, float]:
    return _number(definition, definition.min), _number(definition, definition.max)


def _at(definition: Choice | Range, shares: np.ndarray) -> np.ndarray:
    """Return the numbers that lie at shares in [0, 1) of a space."""
    if isinstance(definition, Choice):
        return np.floor(shares * len(definition.values))
    low, high = _ends(definition)
    return low + (high - low) * shares


def _grid(definition: Choice | Range) -> list[float]:
    if isinstance(definition, Choice):
        return [float(place) for place in range(len(definition.values))]
    return _at(definition, (np.arange(GRID) + 0.5) / GRID).tolist()

"""The strategies of a search: each of KerasTuner's oracles, and our own, behind what all of them need."""

from __future__ import annotations

import keras_tuner as kt

from core.search.definition import Budget, Search
from core.search.expected_improvement import ExpectedImprovementOracle
from core.search.journal import Journal
from core.search.journalled_oracle import JournalledOracle

MOST_TRIALS = 9999  # KerasTuner names trials with as many digits
NUM_INITIAL_POINTS = 5


class RandomSearch(JournalledOracle, kt.oracles.RandomSearchOracle):
    """Values drawn at random."""


class GridSearch(JournalledOracle, kt.oracles.GridSearchOracle):
    """Every combination, from the configuration's own outwards."""


class Hyperband(JournalledOracle, kt.oracles.HyperbandOracle):
    """Many short trials, the better of which go on."""


class BayesianSearch(JournalledOracle, ExpectedImprovementOracle):
    """A few trials at random, then those that promise most."""


def oracle_of(search: Search, budget: Budget, journal: Journal) -> JournalledOracle:
    """Return a search's oracle, brought to where its journal ends."""
    if search.strategy == "hyperband":
        return Hyperband(search, budget, journal, max_epochs=search.experiment.fit.planned_epochs)
    if search.strategy == "grid":
        return GridSearch(search, budget, journal, max_trials=MOST_TRIALS)
    if search.strategy == "random":
        return RandomSearch(search, budget, journal, max_trials=MOST_TRIALS)
    return BayesianSearch(
        search, budget, journal, max_trials=MOST_TRIALS, num_initial_points=NUM_INITIAL_POINTS
    )

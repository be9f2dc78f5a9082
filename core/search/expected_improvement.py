"""An oracle that asks a Gaussian process where the largest improvement is to be expected."""

from __future__ import annotations

from typing import Any

import keras_tuner as kt
import numpy as np
from keras_tuner.src.engine.trial import Trial

from core.search.gaussian_process import most_promising
from core.search.space import candidate_values, points_of

NUM_CENTRES = 3  # good trials, around which candidates are drawn besides those all over the space


class ExpectedImprovementOracle(kt.Oracle):
    """A few random trials, then those of which a Gaussian process expects the largest improvement.

    KerasTuner's own Bayesian oracle has one length scale for all hyperparameters, reads unordered choices as
    numbers, and begins with three random trials for each of them, so a search of 15 trials never gets
    past chance.

    Args:
        num_initial_points: Trials at random.
        **options: Of `keras_tuner.Oracle`.
    """

    def __init__(self, num_initial_points: int, **options: Any) -> None:
        super().__init__(**options)
        self.num_initial_points = num_initial_points

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the next values."""
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if len(self.trials) < self.num_initial_points or len(completed) < 2:
            values = self._random_values()
        else:
            values = self._promising_values(completed)
        return {"status": "STOPPED" if values is None else "RUNNING", "values": values}

    def _promising_values(self, completed: list[Trial]) -> dict[str, Any] | None:
        sign = -1.0 if self.objective.direction == "max" else 1.0
        costs = np.array([sign * trial.score for trial in completed])
        generator = np.random.default_rng([self.seed, len(self.trials)])
        best = [completed[place].hyperparameters.values for place in np.argsort(costs)[:NUM_CENTRES]]
        candidates = [
            values
            for values in candidate_values(self.hyperparameters, best, generator)
            if not self._duplicate(values)
        ]
        if not candidates:
            return self._random_values()
        chosen = most_promising(
            points_of(self.hyperparameters, [trial.hyperparameters.values for trial in completed]),
            costs,
            points_of(
                self.hyperparameters, [trial.hyperparameters.values for trial in self.ongoing_trials.values()]
            ),
            points_of(self.hyperparameters, candidates),
            seed=self.seed,
        )
        return candidates[chosen]

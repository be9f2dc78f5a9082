from __future__ import annotations

import numpy as np

from core.search.definition import Objective, TrialRecord
from core.search.weighing import weighted_costs

GOALS = (Objective("val_accuracy", "max"), Objective("parameters", "min"))


def costs(*figures: tuple[float, float], seed: int = 0) -> np.ndarray:
    records = [
        TrialRecord("", {}, "finished", {}, {"val_accuracy": accuracy, "parameters": size}, "", 0.0, 1.0)
        for accuracy, size in figures
    ]
    return weighted_costs(records, GOALS, [seed])


def test_a_trial_that_is_best_in_both_objectives_costs_nothing_and_the_worst_most():
    best, middle, worst = costs((0.9, 10), (0.8, 20), (0.7, 30))
    assert best == 0 < middle < worst


def test_two_compromises_are_preferred_in_turn():
    preferred = {int(np.argmin(costs((0.9, 30), (0.7, 10), seed=seed))) for seed in range(20)}
    assert preferred == {0, 1}


def test_an_objective_in_which_all_are_equal_decides_nothing():
    small, large = costs((0.9, 10), (0.9, 20))
    assert small == 0 < large

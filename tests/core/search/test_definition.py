from __future__ import annotations

import pytest

from core.errors import UserError
from core.experiment import load_experiment
from core.search.definition import (
    Objective,
    Search,
    TrialRecord,
    best_of,
    objectives_of,
    open_folder,
    pareto_front,
)
from tests.core.search.searches import experiment, search

ACCURACY, SIZE = Objective("val_accuracy", "max"), Objective("parameters", "min")


def record(name: str, accuracy: float | None, size: float = 1, status: str = "finished") -> TrialRecord:
    measures = {"parameters": size} | ({} if accuracy is None else {"val_accuracy": accuracy})
    return TrialRecord(name, {}, status, {}, measures, "", 0.0, 1.0)


def test_the_objective_is_the_tasks_own_unless_another_is_asked_for():
    ratings = load_experiment("recommendation/ratings")
    assert objectives_of(ratings, None) == (Objective("val_rmse", "min"),)


@pytest.mark.parametrize(
    ("text", "direction"),
    [("val_accuracy", "max"), ("val_loss", "min"), ("latency_ms", "min"), ("max:val_loss", "max")],
)
def test_the_direction_of_an_objective_is_known_or_said(text, direction):
    assert objectives_of(experiment(), text)[0].direction == direction


@pytest.mark.parametrize("text", ["most:val_loss", "a,b,c"])
def test_an_objective_that_can_not_be_is_refused(text):
    with pytest.raises(UserError, match="Received"):
        objectives_of(experiment(), text)


def test_the_best_is_sought_among_trials_that_have_a_score():
    records = [record("0", 0.5), record("1", 0.9, status="failed"), record("2", 0.7), record("3", None)]
    assert best_of(records, ACCURACY).name == "2"


def test_without_a_score_there_is_no_best():
    assert best_of([record("0", 0.5, status="running")], ACCURACY) is None


def test_the_pareto_front_leaves_out_what_another_is_better_than_in_all():
    records = [record("0", 0.5, 10), record("1", 0.9, 50), record("2", 0.4, 20), record("3", 0.7, 30)]
    assert [each.name for each in pareto_front(records, (ACCURACY, SIZE))] == ["1", "3", "0"]


def test_the_same_search_opens_its_folder_again(tmp_path):
    open_folder(tmp_path / "search", search())
    open_folder(tmp_path / "search", search())


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (
            search({"fit.learning_rate": {"min": 1e-4, "max": 2}}),
            r"tune\.fit\.learning_rate\.max: 1\.0 there, 2",
        ),
        (search(seed=1), "another seed: 0 there, 1 now"),
        (search(None, "fit.epochs=9"), "another fit.epochs: 8 there, 9 now"),
        (search(strategy="random"), "another strategy"),
    ],
    ids=["space", "seed", "epochs", "strategy"],
)
def test_a_folder_of_another_search_is_refused_and_the_difference_named(tmp_path, changed, named):
    open_folder(tmp_path / "search", search())
    with pytest.raises(UserError, match=named):
        open_folder(tmp_path / "search", changed)


def test_a_strategy_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean bayesian"):
        Search(experiment(), "bayes")  # type: ignore[arg-type]

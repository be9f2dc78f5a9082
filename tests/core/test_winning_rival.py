"""What is said where a rival of the same run is better than the model."""

import pytest

from core.winning_rival import winning_rival


def metrics(own, **rivals):
    return {"test": {"rmse": own}, "baseline": {name: {"rmse": value} for name, value in rivals.items()}}


def test_the_best_rival_is_named_with_how_much_better_it_is():
    said = winning_rival(metrics(0.9, biases=0.85, neighbours=0.8), {"rmse": "min"})
    assert said.startswith("neighbours wins over the model: rmse 0.8000 beside 0.9000, by 0.1000. ")
    assert "quartet tune" in said


@pytest.mark.parametrize(("direction", "rival"), [("min", 0.95), ("max", 0.85), ("min", 0.9), ("max", 0.9)])
def test_nothing_is_said_of_rivals_that_are_no_better(direction, rival):
    assert winning_rival(metrics(0.9, other=rival), {"rmse": direction}) is None


def test_a_figure_of_which_more_is_better_is_won_by_the_larger():
    assert winning_rival(metrics(0.9, other=0.95), {"rmse": "max"}).startswith("other wins")


def test_means_over_folds_are_compared():
    folds = metrics({"mean": 0.9, "std": 0.01}, other={"mean": 0.85, "std": 0.2})
    assert "0.8500 ± 0.2000 beside 0.9000 ± 0.0100, by 0.0500" in winning_rival(folds, {"rmse": "min"})


def test_nothing_is_said_without_rivals_or_where_they_lack_the_figure():
    assert winning_rival(metrics(0.9), {"rmse": "min"}) is None
    assert (
        winning_rival({"test": {"rmse": 1.0}, "baseline": {"other": {"mae": 0.1}}}, {"rmse": "min"}) is None
    )
    assert winning_rival({"test": {}, "baseline": {}}, {}) is None

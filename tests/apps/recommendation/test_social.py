"""The task as a whole, trained on small ratings with links."""

from pathlib import Path

import numpy as np
import pytest

from apps.recommendation.friends.tower import trusted_layer
from apps.recommendation.social import Social
from core.errors import UserError
from core.experiment import Experiment
from core.fit import Fit
from core.run import Run
from core.training.train import train
from tests import small_data

FIT = Fit(epochs=30, batch_size=64, learning_rate=0.05, tensorboard=False)
SMALL = {"dim": 4, "penalty": 0.1, "validation": 0.0, "top": 5, "link_penalty": 0.01}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return small_data.ratings(tmp_path_factory.mktemp("ratings"))


@pytest.fixture(scope="module")
def run(source, tmp_path_factory) -> Run:
    """The run of a model with links."""
    task = Social(data=str(source), **SMALL)
    return train(Experiment(task=task, fit=FIT), tmp_path_factory.mktemp("run") / "run")


def predicted(run: Run, *questions: object) -> list[dict]:
    return run.experiment.task.predict(run.model, run.encoder, list(questions))


def test_who_rated_nothing_is_recommended_what_their_friends_like(run):
    for answer, parity in zip(predicted(run, "even", "odd"), (0, 1), strict=True):
        liked = [int(row["item"]) % 2 == parity for row in answer["recommendations"]]
        assert all(liked), answer


def test_who_is_not_in_the_links_gets_the_most_rated_items(run):
    [answer] = predicted(run, "nobody")
    assert "never saw this user" in answer["note"]


def test_somebody_new_is_known_by_their_ratings(run):
    items = [item for item in run.encoder.items if int(item) % 2]
    [answer] = predicted(run, {"ratings": dict.fromkeys(items[:6], 4.5) | {"0": 1.5, "2": 1.5}})
    assert np.mean([int(row["item"]) % 2 for row in answer["recommendations"]]) > 0.5


def test_the_links_are_kept_with_the_model(run):
    names = run.encoder.users
    row = trusted_layer(run.model).recall()[1 + names.index("3")]
    assert sorted(names[number - 1] for number in row.tolist()) == ["5", "7"]


def test_the_same_factors_without_links_are_among_the_rivals(run):
    assert set(run.metrics["baseline"]) == {"biases only", "item neighbours", "factors without links"}
    assert run.metrics["test"]["rmse"] < run.metrics["baseline"]["biases only"]["rmse"]


def test_the_notes_count_links_and_people_without_ratings(run):
    assert "120 links among 42 people, 2 without ratings" in run.experiment.task.load().notes


def test_rows_are_told_apart_by_how_much_their_user_rated_and_trusts(run):
    task = run.experiment.task
    splits = task.load()
    columns = task.slices(splits, run.encoder)
    assert all(len(column) == len(splits.test) for column in columns.values())
    assert set(columns["links of the user"]) == {"1 to 5 links"}


def test_without_links_nobody_is_trusted(source):
    task = Social(data=str(source), use_links=False, **SMALL)
    splits = task.load()
    model = task.build(task.encode(splits.train))
    assert "no links are used" in splits.notes[-1]
    assert set(trusted_layer(model).recall().values.tolist()) == {0}


def test_links_of_other_people_than_the_ratings_are_refused(source, tmp_path):
    (tmp_path / "other.csv").write_text("x,y\ny,z\n")
    with pytest.raises(UserError, match="Nobody of the links has rated anything"):
        Social(data=str(source), links=str(tmp_path / "other.csv")).load()

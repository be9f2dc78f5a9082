"""The two tasks as wholes, trained on small data."""

from pathlib import Path

import keras
import numpy as np
import pytest

from apps.recommendation.factors import collaborative
from apps.recommendation.rankings import Rankings
from apps.recommendation.ratings import Ratings
from core.data.examples import Examples
from core.errors import UserError
from core.experiment import Experiment
from core.fit import Fit
from core.optimizers import LazyAdam
from core.run import Run
from core.training.train import train
from tests import small_data

METHODS = {
    Ratings: ("least_squares", "factorisation", "two_tower"),
    Rankings: ("least_squares", "two_tower", "item_neighbours", "ease", "auto"),
}
TRAINED = [(task, method) for task, methods in METHODS.items() for method in methods]
FIT = Fit(epochs=4, batch_size=32, learning_rate=0.03, tensorboard=False)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return small_data.ratings(tmp_path_factory.mktemp("ratings"))


@pytest.fixture(scope="module")
def runs(source, tmp_path_factory) -> dict[tuple[type, str], Run]:
    """The run of each task by each method."""

    def trained(task: type, method: str, penalty: float) -> Run:
        settings = task(data=str(source), method=method, penalty=penalty, dim=4, top=3, history=5)
        return train(Experiment(task=settings, fit=FIT), tmp_path_factory.mktemp("run") / "run")

    return {
        (task, method): trained(task, method, 0.5 if task is Ratings else 0.1) for task, method in TRAINED
    }


@pytest.mark.parametrize("method", METHODS[Ratings])
def test_every_method_rates_better_than_biases_alone(runs, method):
    metrics = runs[Ratings, method].metrics
    assert metrics["test"]["rmse"] < metrics["baseline"]["biases only"]["rmse"]


@pytest.mark.parametrize(("task", "method"), TRAINED)
def test_nothing_that_a_user_rated_in_training_is_recommended(runs, task, method):
    run = runs[task, method]
    rated = run.experiment.task.load().train
    answers = run.experiment.task.predict(run.model, run.encoder, [str(user) for user in range(40)])
    for user, answer in enumerate(answers):
        seen = set(rated["item"][rated["user"] == str(user)].tolist())
        assert len(answer["recommendations"]) == 3
        assert not seen & {row["item"] for row in answer["recommendations"]}


@pytest.mark.parametrize("method", ["least_squares", "factorisation"])
def test_somebody_whom_training_never_saw_gets_what_fits_their_ratings(runs, method):
    run = runs[Ratings, method]
    predict = run.experiment.task.predictor(run.model, run.encoder)
    ratings = {str(item): 4.5 if item % 2 else 1.5 for item in range(12)}
    mirrored = {item: 6 - rating for item, rating in ratings.items()}
    answers = predict([{"ratings": ratings}, {"user": "1"}, {"ratings": mirrored}])
    for answer, parity in ((answers[0], 1), (answers[2], 0)):
        assert [int(row["item"]) % 2 for row in answer["recommendations"]] == [parity] * 3
    assert "user" not in answers[0]


@pytest.mark.parametrize(("task", "method"), TRAINED)
def test_a_taste_is_answered_by_every_method(runs, task, method):
    run = runs[task, method]
    taste = {str(item): 3.0 for item in range(8)}  # more than the nets' history of 5
    predict = run.experiment.task.predictor(run.model, run.encoder)
    best, one, unknown = predict([{"ratings": taste, **item} for item in ({}, {"item": "20"}, {"item": "x"})])
    assert len(best["recommendations"]) == 3
    assert not set(taste) & {row["item"] for row in best["recommendations"]}
    score = run.experiment.task.score_name
    assert np.isfinite(one[score])
    assert "never saw" in unknown["note"]


@pytest.mark.parametrize(("task", "method"), TRAINED)
def test_a_taste_is_explained_by_its_own_ratings(runs, task, method):
    run = runs[task, method]
    asked = {"ratings": {"1": 4.5, "2": 1.5, "nothing": 3.0}, "item": "20"}
    settings = run.experiment.task
    if method == "two_tower":
        with pytest.raises(UserError, match="towers"):
            settings.explain(run.model, run.encoder, asked)
        return
    explanation = settings.explain(run.model, run.encoder, asked).to_json()
    assert [part["item"] for part in explanation["parts"]] == ["1", "2"]
    assert explanation["checks"]["gap"] < 1e-3
    with pytest.raises(UserError, match="never saw"):
        settings.explain(run.model, run.encoder, {"ratings": {"nothing": 3.0}, "item": "20"})


def test_a_rating_of_a_taste_stays_within_those_of_training(runs):
    run = runs[Ratings, "least_squares"]
    low = run.encoder.model_copy(update={"highest": 1.6})
    (answer,) = run.experiment.task.predict(run.model, low, [{"ratings": {"1": 1.6}, "item": "3"}])
    assert answer["rating"] == 1.6


@pytest.mark.parametrize("rating", [1.4, 4.6, 1e5, -3])
def test_a_taste_of_ratings_that_training_knows_none_of_is_refused(runs, rating):
    run = runs[Ratings, "least_squares"]
    with pytest.raises(UserError, match=r"Ratings go from 1\.5 to 4\.5.*for item 1"):
        run.experiment.task.predict(run.model, run.encoder, [{"ratings": {"1": rating}}])


def test_what_a_ranking_is_asked_with_may_be_rated_in_any_way(runs):
    run = runs[Rankings, "least_squares"]
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [{"ratings": {"1": 1e5}}])
    assert len(answer["recommendations"]) == 3


def test_blanks_around_ids_make_no_other_ids(runs):
    run = runs[Ratings, "least_squares"]
    asked = [{"user": " 3 ", "item": "20\t"}, {"user": "3", "item": "20"}]
    blank, plain = run.experiment.task.predict(run.model, run.encoder, asked)
    assert blank == plain
    assert "note" not in plain


def test_the_parts_of_a_rating_beyond_those_of_training_add_up_to_what_the_model_says(runs):
    run = runs[Ratings, "least_squares"]
    strict = run.encoder.model_copy(update={"highest": 0.0, "lowest": 0.0})
    explanation = run.experiment.task.explain(run.model, strict, run.encoder.users[0]).to_json()
    assert explanation["checks"]["gap"] < 0.05


def test_choices_name_users_items_and_ratings(runs):
    run = runs[Ratings, "least_squares"]
    choices = run.experiment.task.inputs(run.encoder)["question"].choices()
    assert set(choices["user"]) == set(run.encoder.users)
    assert list(choices["rating"]) == ["1.5", "2", "2.5", "3", "3.5", "4", "4.5"]


@pytest.mark.parametrize("task", [Ratings, Rankings])
def test_the_score_of_a_recommendation_is_that_of_the_pair(runs, task):
    run = runs[task, "two_tower"]
    best = run.experiment.task.predict(run.model, run.encoder, ["3"])[0]["recommendations"][0]
    (pair,) = run.experiment.task.predict(run.model, run.encoder, [{"user": "3", "item": best["item"]}])
    score_name = run.experiment.task.score_name
    assert np.clip(best[score_name], run.encoder.lowest, run.encoder.highest) == pytest.approx(
        pair[score_name], abs=1e-3
    ) or best[score_name] == pytest.approx(pair[score_name], abs=1e-3)


def test_a_rating_without_knowledge_is_the_mean(runs):
    run = runs[Ratings, "least_squares"]
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [{"user": "nobody", "item": "nothing"}])
    assert answer["rating"] == pytest.approx(run.encoder.mean, abs=1e-3)


def test_a_rating_by_an_unknown_user_is_what_others_think_of_the_item(runs):
    run = runs[Ratings, "least_squares"]
    (answer,) = run.experiment.task.predict(run.model, run.encoder, [{"user": "nobody", "item": "5"}])
    bias = (
        run.model.get_layer("item_tower").get_layer("item_factors").bias[run.encoder.items.index("5") + 1, 0]
    )
    assert answer["rating"] == pytest.approx(run.encoder.mean + float(bias), abs=1e-3)


@pytest.mark.parametrize("task", [Ratings, Rankings])
def test_ids_and_seen_items_are_learnt_from_the_training_part_alone(source, task):
    splits = task(data=str(source)).load()
    encoder = task(data=str(source)).encode(splits.train)
    assert set(encoder.users) == set(splits.train["user"].tolist())
    assert sum(encoder.item_counts) == len(splits.train)


def test_ranking_puts_the_films_of_the_right_parity_first(runs):
    run = runs[Ratings, "least_squares"]
    answers = run.experiment.task.predict(run.model, run.encoder, [str(user) for user in range(40)])
    right = [
        user % 2 == int(row["item"]) % 2
        for user, answer in enumerate(answers)
        for row in answer["recommendations"]
    ]
    assert np.mean(right) > 0.9


def test_sweeps_end_when_validation_gains_no_more(source, tmp_path):
    settings = Ratings(data=str(source), dim=1, penalty=1e-3)
    fit = Fit(epochs=50, patience=2, tensorboard=False)
    run = train(Experiment(task=settings, fit=fit), tmp_path / "run")
    assert len((run.folder / "history.csv").read_text().splitlines()) < 40


def test_ratings_that_are_not_finite_are_refused(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating\n1,2,3\n1,3,nan\n2,2,4\n")
    with pytest.raises(UserError, match="finite"):
        Ratings(data=str(path)).load()


def test_two_ways_to_split_are_refused(source):
    with pytest.raises(UserError, match="split_time"):
        Rankings(data=str(source), leave_last_out=True, split_time="time").load()


def test_ratings_without_a_column_of_items_are_refused(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("userId,film,rating\n1,2,3\n")
    with pytest.raises(UserError, match="item"):
        Ratings(data=str(path)).load()


def test_titles_that_lie_beside_the_ratings_are_told(source, tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "ratings.csv").write_text(source.read_text())
    (folder / "movies.csv").write_text('movieId,title,genres\n5,"Five, the Film (1995)",Drama\n')
    train_part = Ratings(data=str(folder)).load().train
    assert Ratings(data=str(folder)).encode(train_part).titles == {"5": "Five, the Film (1995)"}


@pytest.mark.parametrize("task", [Ratings, Rankings])
def test_a_model_scores_pairs_and_users_alike(runs, task):
    from apps.recommendation.factors.towers import pair_scores, user_scores

    run = runs[task, "two_tower"]
    users, items = np.array([1, 5, 0], np.int32), np.array([2, 0, 3], np.int32)
    whole = user_scores(run.model)(users)[np.arange(3), items]
    np.testing.assert_allclose(whole, pair_scores(run.model)(users, items), atol=1e-4)


@pytest.mark.parametrize("method", ["least_squares", "two_tower"])
def test_pairs_and_users_are_scored_as_the_model_itself_scores_them(runs, method):
    from apps.recommendation.factors.towers import pair_scores, user_scores

    run = runs[Ratings, method]
    pairs, whole = pair_scores(run.model), user_scores(run.model)
    for users, items in (([4], [0]), ([1, 5], [2, 3]), ([0, 1, 2, 3, 4], [3, 3, 0, 1, 2])):
        user, item = np.array(users, np.int32), np.array(items, np.int32)
        expected = keras.ops.convert_to_numpy(run.model({"user": user, "item": item}, training=False))
        np.testing.assert_allclose(pairs(user, item), expected, atol=1e-4)
        np.testing.assert_allclose(whole(user)[np.arange(len(items)), items], expected, atol=1e-4)


def test_a_part_of_unknown_items_alone_is_judged_as_missed(runs):
    run = runs[Rankings, "least_squares"]
    examples = Examples({"user": ["3"], "item": ["nothing"], "rating": np.ones(1, np.float32)})
    assert run.experiment.task.evaluate(run.model, run.encoder, examples)["hit_rate@10"] == 0


@pytest.mark.parametrize("task", [Ratings, Rankings])
def test_the_model_is_functional_with_named_inputs(runs, task):
    model = runs[task, "least_squares"].model
    assert isinstance(model, keras.Model)
    assert set(model.input) == {"user", "item"}


def test_a_large_table_is_learnt_by_lazy_adam(source, monkeypatch, tmp_path):
    monkeypatch.setattr(collaborative, "LARGE_TABLE", 1)
    settings = Ratings(data=str(source), method="two_tower", penalty=0.5, dim=4, top=3, history=5)
    run = train(Experiment(task=settings, fit=FIT), tmp_path / "run")
    model = keras.saving.load_model(run.folder / "model.keras")
    assert isinstance(model.optimizer, LazyAdam)
    assert run.metrics["test"]["rmse"] < run.metrics["baseline"]["biases only"]["rmse"]

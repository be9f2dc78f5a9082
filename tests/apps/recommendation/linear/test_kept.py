"""Linear rankings of which an item keeps but a few weights, and those that keep all."""

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from apps.recommendation import rankings
from apps.recommendation.linear.export import users_at_once
from apps.recommendation.linear.model import pair_scores, user_scores, weights_layer
from apps.recommendation.rankings import Rankings
from core.experiment import Experiment
from core.exporting.export import Exporter
from core.fit import Fit
from core.run import Run
from core.training.train import train
from tests import small_data
from tests.export_alone import answers_without


@pytest.fixture(scope="module", params=[("item_neighbours", 5), ("ease", 5), ("ease", 200)])
def run(request, tmp_path_factory) -> Iterator[Run]:
    source = small_data.ratings(tmp_path_factory.mktemp("ratings"))
    method, neighbours = request.param
    task = Rankings(data=str(source), method=method, neighbours=neighbours, ease_penalty=5.0, top=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rankings, "DENSE_ITEMS", 10)
        fit = Fit(epochs=3, tensorboard=False)
        yield train(Experiment(task=task, fit=fit), tmp_path_factory.mktemp("run") / "r")


def test_no_item_has_more_weights_than_are_kept(run):
    rows = weights_layer(run.model).recall()
    assert 0 < np.diff(rows.indptr).max() <= min(run.experiment.task.neighbours, 31)


def test_pairs_and_users_are_scored_as_the_model_itself_scores_them(run):
    users, items = np.array([0, 1, 2, 40, 1], np.int32), np.array([3, 3, 0, 30, 1], np.int32)
    expected = keras.ops.convert_to_numpy(run.model({"user": users, "item": items}, training=False))
    np.testing.assert_allclose(pair_scores(run.model)(users, items), expected, atol=1e-5)
    np.testing.assert_allclose(user_scores(run.model)(users)[np.arange(5), items], expected, atol=1e-5)
    assert (expected != 0).tolist()[:3] == [False, True, False]  # nothing is known of an unknown one


def test_ratings_of_somebody_new_are_scored_as_those_of_a_user_who_chose_the_same(run):
    train_part = run.experiment.task.load().train
    chosen = train_part["item"][train_part["user"] == "3"].tolist()
    asked = [{"ratings": dict.fromkeys(chosen, 4.0)}, "3"]
    new, known = run.experiment.task.predict(run.model, run.encoder, asked)
    assert new["recommendations"] == known["recommendations"]


def test_an_explanation_names_each_choice_once_and_adds_up(run):
    explanation = run.experiment.task.explain(run.model, run.encoder, "3").to_json()
    assert explanation["method"] == "item weights"
    assert sum(part["adds"] for part in explanation["parts"]) == pytest.approx(explanation["score"], abs=1e-5)
    items = [part["item"] for part in explanation["parts"]]
    assert len(items) == len(set(items))


@pytest.mark.parametrize("at_once", [None, 2])
def test_an_export_answers_as_the_run(run, tmp_path, monkeypatch, at_once):
    if at_once:
        monkeypatch.setattr("apps.recommendation.linear.export.users_at_once", lambda model: at_once)
    Exporter(run, tmp_path).export("onnx")
    users = ["3", "4", "5", "nobody", {"user": "6", "item": "2"}]
    found = answers_without(["keras", "tensorflow", "core", "apps"], tmp_path / "onnx", users)
    for answer, expected in zip(
        found, run.experiment.task.predict(run.model, run.encoder, users), strict=True
    ):
        assert answer.keys() == expected.keys()
        assert answer.get("score") == pytest.approx(expected.get("score"), abs=1e-4)
        for row, known in zip(
            answer.get("recommendations", []), expected.get("recommendations", []), strict=True
        ):
            assert row == pytest.approx(known, abs=1e-4) or row["score"] == pytest.approx(
                known["score"], abs=1e-4
            )


def test_fewer_users_go_through_a_graph_at_once_the_more_weights_it_gathers(run):
    layer = weights_layer(run.model)
    numbers = users_at_once(run.model) * layer.num_items * (1 if layer.dense else layer.num_kept)
    assert 2**24 < numbers <= 2**25

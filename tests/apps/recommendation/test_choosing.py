"""How `auto` chooses among the methods in closed form."""

import numpy as np
import pytest

from apps.recommendation.catalogue.interactions import Interactions
from apps.recommendation.choosing import Candidate, judged_candidates, one_of_each
from apps.recommendation.rankings import Rankings
from core.data.examples import Examples
from core.errors import UserError
from core.experiment import Experiment
from core.fit import Fit
from core.run import Run
from core.training.train import train
from tests import small_data


def choices(pairs: list[tuple[int, int]]) -> Interactions:
    users, items = np.array(pairs, np.int32).T
    return Interactions(users, items, np.ones(len(pairs), np.float32), 3, 5)


REST, HELD = choices([(1, 1), (2, 2)]), choices([(1, 3), (2, 3)])


def candidate(name: str, seconds: float, best: int) -> Candidate:
    """Return a method that puts one item before all others."""
    row = np.zeros(5, np.float32)
    row[best] = 1.0
    return Candidate({"method": name}, seconds, lambda rest: lambda users: np.tile(row, (len(users), 1)))


def test_the_best_of_the_judged_comes_first():
    judged = judged_candidates([candidate("bad", 1, 4), candidate("good", 2, 3)], REST, HELD, seconds=10)
    assert [each["settings"]["method"] for each in judged] == ["good", "bad"]
    assert judged[0]["ndcg@10"] == 1.0


def test_no_candidate_is_judged_that_is_dearer_than_the_time_left():
    cheap, dear = candidate("cheap", 2, 4), candidate("dear", 9, 3)
    assert [each["settings"]["method"] for each in judged_candidates([dear, cheap], REST, HELD, 10)] == [
        "cheap"
    ]
    assert len(judged_candidates([dear, cheap], REST, HELD, 11)) == 2


def test_the_cheapest_candidate_is_judged_whatever_it_takes():
    judged = judged_candidates([candidate("dear", 9, 3), candidate("cheap", 2, 4)], REST, HELD, seconds=0.1)
    assert [each["settings"]["method"] for each in judged] == ["cheap"]


@pytest.mark.parametrize("name", ["time", "order"])
def test_the_last_choice_of_each_user_with_three_is_held_out(name):
    rows = Examples({"user": list("aabbab"), "item": list("123456"), name: [9, 1, 1, 5, 2, 3]})
    rest, held = one_of_each(rows.take([0, 1, 2, 3, 4]), seed=0)
    assert held.tolist() == [0]
    assert rest.tolist() == [1, 2, 3, 4]
    assert one_of_each(rows, seed=0)[1].tolist() == [0, 3]


def test_any_choice_is_held_out_where_nothing_tells_the_last():
    rows = Examples({"user": list("aaaabb"), "item": list("123456")})
    drawn = {tuple(one_of_each(rows, seed)[1].tolist()) for seed in range(20)}
    assert drawn == {(0,), (1,), (2,), (3,)}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    source = small_data.ratings(tmp_path_factory.mktemp("ratings"))
    task = Rankings(data=str(source), dim=4)
    return train(
        Experiment(task=task, fit=Fit(epochs=3, tensorboard=False)), tmp_path_factory.mktemp("run") / "r"
    )


def test_auto_keeps_what_was_seen_with_the_run_and_tells_it(run):
    tried = Run(run.folder).encoder.tried
    assert {each["settings"]["method"] for each in tried} == {"item_neighbours", "ease", "least_squares"}
    figures = [each["ndcg@10"] for each in tried]
    assert figures == sorted(figures, reverse=True)
    (note,) = [note for note in run.metrics["data"]["notes"] if note.startswith("method=auto")]
    assert f"{tried[0]['settings']['method']}" in note
    assert f"{figures[0]:.4f}" in note


def test_auto_trains_what_it_has_found_to_be_the_best(run, tmp_path):
    settings = run.encoder.tried[0]["settings"]
    task = run.experiment.task.model_copy(update=settings)
    alone = train(Experiment(task=task, fit=run.experiment.fit), tmp_path / "run")
    for expected, received in zip(alone.model.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("method", ["least_squares", "item_neighbours", "ease"])
def test_auto_goes_on_by_whatever_method_was_the_best(run, method, monkeypatch, tmp_path):
    monkeypatch.setattr("apps.recommendation.rankings.CANDIDATES", ({"method": method},))
    chosen = train(run.experiment, tmp_path / "run")
    task, asked = chosen.experiment.task, {"ratings": {"1": 4.0, "3": 4.0}}
    for value in ("3", asked):
        (answer,) = task.predict(chosen.model, chosen.encoder, [value])
        explanation = task.explain(chosen.model, chosen.encoder, value).to_json()
        assert explanation["answer"] == answer
        assert explanation["checks"]["gap"] < 0.05


def test_sizes_that_are_set_are_kept_while_the_others_are_chosen():
    settings = Rankings(method="least_squares", dim=7)._candidates()
    assert {each["dim"] for each in settings} == {7}
    assert len({(each["penalty"], each["unobserved"]) for each in settings}) == len(settings) > 1


def test_nothing_is_tried_where_all_sizes_of_least_squares_are_set():
    task = Rankings(method="least_squares", dim=7, penalty=0.1, unobserved=0.2)
    assert not task.is_auto
    assert task.sizes == (7, 0.1)


def test_least_squares_trains_the_sizes_that_did_best(run, tmp_path):
    task = run.experiment.task.model_copy(update={"method": "least_squares", "dim": "auto"})
    sized = train(Experiment(task=task, fit=run.experiment.fit), tmp_path / "run")
    best = sized.encoder.tried[0]["settings"]
    assert len(sized.encoder.tried) > 1
    assert sized.model.get_layer("item_tower").get_layer("item_factors").dim == best["dim"]


def test_choices_of_which_none_can_be_held_out_are_ranked_by_the_cheapest_method():
    task = Rankings()
    encoder = task.encode(
        Examples({"user": list("aabb"), "item": list("1213"), "rating": np.ones(4, np.float32)})
    )
    assert task.settled(encoder).method == "item_neighbours"


def test_an_early_end_that_would_leave_items_without_weights_is_refused(run, tmp_path):
    fit = Fit(epochs=3, patience=2, tensorboard=False)
    task = run.experiment.task.model_copy(update={"method": "ease"})
    with pytest.raises(UserError, match=r"fit\.patience=null"):
        train(Experiment(task=task, fit=fit), tmp_path / "run")

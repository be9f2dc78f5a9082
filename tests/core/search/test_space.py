from __future__ import annotations

import pytest

from core.errors import UserError
from core.experiment import configurations, load_experiment
from core.search.definition import Search
from core.search.space import candidate_values, chosen_values, own_values, points_of, search_space
from tests.core.search.searches import search


@pytest.mark.parametrize("name", configurations())
def test_every_shipped_configuration_has_a_space_that_holds_its_own_values(name):
    wanted = Search(load_experiment(name))
    own = chosen_values(wanted, own_values(search_space(wanted)))
    present = {path: wanted.experiment.value_at(path) for path in own}
    assert own == {
        path: list(value) if isinstance(value, tuple) else value for path, value in present.items()
    }
    assert own


def test_a_range_of_an_integer_field_gives_integers():
    wanted = search({"fit.batch_size": {"min": 16, "max": 64, "step": 16}})
    drawn = candidate_values(search_space(wanted), [], generator(), num_everywhere=50)
    assert {values["fit.batch_size"] for values in drawn} == {16, 32, 48, 64}


def test_a_log_scale_draws_as_many_from_each_decade():
    drawn = candidate_values(search_space(search()), [], generator(), num_everywhere=4000)
    rates = [values["fit.learning_rate"] for values in drawn]
    assert sum(rate < 1e-2 for rate in rates) / len(rates) == pytest.approx(0.5, abs=0.03)


CONDITIONAL = {
    "task.encoder": ["bag", "recurrent"],
    "task.ngrams": {"values": [1, 2, 3], "when": {"task.encoder": "bag"}},
    "fit.clip_norm": {"values": [0.5, None], "when": {"task.encoder": "recurrent"}},
}


def test_what_is_bound_to_a_choice_is_drawn_with_that_choice_alone():
    drawn = candidate_values(search_space(search(CONDITIONAL)), [], generator(), num_everywhere=60)
    assert {("task.ngrams" in values, "fit.clip_norm" in values) for values in drawn} == {
        (True, False),
        (False, True),
    }
    assert all(("task.ngrams" in values) == (values["task.encoder"] == "bag") for values in drawn)


def test_choices_of_any_kind_come_back_as_they_were_written():
    choices = [[], [64], [128, 64]]
    plain = load_experiment("recommendation/rankings_two_tower", ["tune={}"])
    tree = {**dict(plain), "tune": {"task.hidden": choices, "fit.clip_norm": [None, 1.0]}}
    wanted = Search(type(plain).model_validate(tree))
    drawn = [
        chosen_values(wanted, values) for values in candidate_values(search_space(wanted), [], generator())
    ]
    assert all(values["task.hidden"] in choices for values in drawn)
    assert {values["fit.clip_norm"] for values in drawn} == {None, 1.0}


@pytest.mark.parametrize(
    ("tune", "named"),
    [
        ({}, "nothing to search"),
        ({"fit.learning_rate": {"min": 0.1, "max": 1}}, "must hold the configuration's own value"),
        ({"task.ngrams": [1, 2]}, "must hold the configuration's own value"),
        ({"task.dropout": {"min": 0, "max": 1.5}}, "tune.task.dropout: task.dropout .*Received: 1.5"),
        ({"fit.optimizer": ["adam", "adamm"]}, "tune.fit.optimizer: .*Received: 'adamm'"),
        ({"task.ngrams": {"values": [1, 2, 3], "when": {"task.encoder": "bag"}}}, "must name other searched"),
    ],
    ids=[
        "empty",
        "range without own",
        "choices without own",
        "range too wide",
        "unknown choice",
        "no parent",
    ],
)
def test_a_space_that_does_not_fit_is_refused_by_name(tune, named):
    with pytest.raises(UserError, match=named):
        search_space(search(tune))


def test_unordered_choices_stand_equally_far_apart():
    space = search_space(search({"fit.optimizer": ["adam", "sgd", "rmsprop"]}))
    points = points_of(space, [{"fit.optimizer": name} for name in ("adam", "sgd", "rmsprop")])
    distances = {round(float(((left - right) ** 2).sum()), 6) for left in points for right in points}
    assert distances == {0.0, 1.0}


def generator():
    import numpy as np

    return np.random.default_rng(0)

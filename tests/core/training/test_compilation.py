from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import platformdirs
import pytest

from core.errors import UserError
from core.experiment import Experiment, experiment_from
from core.run import Run
from core.training import compilation
from core.training.compilation import Way, chosen, fastest
from core.training.train import prepared, train

PLAIN = Way(False, "float32", 1, 10.0, 1.0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def always(monkeypatch):
    """Let every training be long enough for a choice."""
    monkeypatch.setattr(compilation, "LEAST_STEPS", 1)
    monkeypatch.setattr(compilation, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(compilation, "SHARE", 1e9)


@pytest.fixture
def canned(always, monkeypatch):
    """Let trials end at once: bfloat16 is twice as fast, XLA no faster."""
    times = {"float32": 10.0, "mixed_bfloat16": 5.0}

    def tried(way, *_):
        return replace(way, milliseconds=times[way.precision] / way.steps_per_execution, loss=1.0)

    monkeypatch.setattr(compilation, "_tried", tried)


def experiment(**fit: object) -> Experiment:
    settings = {"epochs": 2, "batch_size": 8, "tensorboard": False, "precision": "auto", **fit}
    return experiment_from(
        {"task": {"type": "tests.core.hard_tasks.Regression"}, "fit": settings, "audit": {"leaks": "allow"}}
    )


def seen(run: Run) -> dict:
    return json.loads((run.folder / "compilation.json").read_text(encoding="utf-8"))


def choice(folder: Path) -> dict:
    """Return what was seen before a training, which is left out."""
    run = Run.create(folder, experiment())
    chosen(run, *prepared(run, None, {}))
    return seen(run)


@pytest.mark.parametrize(
    ("other", "wins"),
    [
        (Way(True, "float32", 1, 5.0, 7.0), True),
        (Way(True, "float32", 1, 9.5, 1.0), False),
        (Way(False, "mixed_bfloat16", 1, 5.0, 1.001), True),
        (Way(False, "mixed_bfloat16", 1, 5.0, 1.2), False),
        (Way(False, "mixed_bfloat16", 1, 5.0, float("nan")), False),
        (Way(False, "mixed_bfloat16", note="failed"), False),
    ],
)
def test_a_way_is_taken_if_it_is_clearly_faster_and_loses_nothing(other, wins):
    assert fastest([PLAIN, other]) is (other if wins else PLAIN)


def test_several_steps_at_a_call_are_taken_for_any_gain():
    together = Way(False, "float32", 8, 9.9, 1.0)
    assert fastest([PLAIN, together]) is together


def test_a_short_training_tries_nothing_and_goes_plainly_a_few_steps_at_a_call(tmp_path):
    run = train(experiment(), tmp_path / "run")
    assert seen(run) == {
        "ways": [],
        "jit_compile": "auto",
        "precision": "float32",
        "steps_per_execution": 4,
    }


def test_xla_is_tried_in_the_better_precision_and_what_was_seen_is_written_down(tmp_path, always):
    run = train(experiment(), tmp_path / "run")
    plain, low, compiled, *_ = seen(run)["ways"]
    assert [(way["jit_compile"], way["precision"]) for way in (plain, low)] == [
        (False, "float32"),
        (False, "mixed_bfloat16"),
    ]
    assert compiled["jit_compile"]
    assert compiled["precision"] == fastest([Way(**plain), Way(**low)]).precision
    assert all(way["milliseconds"] > 0 for way in (plain, low, compiled))


def test_a_choice_changes_neither_the_seed_nor_the_weights(tmp_path, always, monkeypatch):
    monkeypatch.setattr(compilation, "fastest", lambda ways: ways[0])
    chosen = train(experiment(precision="float32"), tmp_path / "chosen")
    plain = {"precision": "float32", "jit_compile": False, "steps_per_execution": 1}
    given = train(experiment(**plain), tmp_path / "given")
    for one, other in zip(given.model.get_weights(), chosen.model.get_weights(), strict=True):
        np.testing.assert_array_equal(other, one)


def test_the_model_of_a_run_is_read_in_the_precision_that_was_chosen(tmp_path, canned):
    run = train(experiment(), tmp_path / "run")
    assert Run(run.folder).model.dtype_policy == keras.DTypePolicy("mixed_bfloat16")


def test_another_training_of_such_a_model_takes_the_choice_without_a_trial(tmp_path, canned, monkeypatch):
    first = choice(tmp_path / "first")
    monkeypatch.setattr(compilation, "_tried", None)
    assert choice(tmp_path / "second")["ways"] == first["ways"]


def test_a_way_that_fails_is_reported_and_another_taken(tmp_path, canned, monkeypatch):
    tried = compilation._tried

    def failing(way, *rest):
        return replace(way, note="failed: no") if way.jit_compile else tried(way, *rest)

    monkeypatch.setattr(compilation, "_tried", failing)
    outcome = choice(tmp_path / "run")
    assert [way["note"] for way in outcome["ways"]] == ["", "", "failed: no", ""]
    assert outcome["jit_compile"] is False


def test_a_way_that_costs_too_much_is_not_tried(tmp_path, canned, monkeypatch):
    monkeypatch.setattr(compilation, "SHARE", 1e-6)
    outcome = choice(tmp_path / "run")
    ways = outcome["ways"]
    assert [way["milliseconds"] is None for way in ways] == [False, True, True, True]
    assert all("would cost" in way["note"] for way in ways[1:])
    assert (outcome["precision"], outcome["steps_per_execution"]) == ("float32", 4)


def test_steps_at_one_call_are_tried_upon_the_fastest_way(tmp_path, canned):
    outcome = choice(tmp_path / "run")
    last = outcome["ways"][-1]
    assert (last["precision"], last["steps_per_execution"]) == ("mixed_bfloat16", 4)
    assert outcome["steps_per_execution"] == 4


def test_steps_of_a_long_time_are_not_tried_together(tmp_path, canned, monkeypatch):
    monkeypatch.setattr(compilation, "LONG_STEP", 1.0)
    assert all(way["steps_per_execution"] == 1 for way in choice(tmp_path / "run")["ways"])


@pytest.mark.parametrize(
    ("milliseconds", "together"), [(None, 8), (300.0, 1), (45.0, 4), (8.0, 25), (0.1, 40)]
)
def test_steps_that_are_not_tried_together_run_so_for_a_fifth_of_a_second_if_their_time_is_known(
    milliseconds, together
):
    outcome = compilation._outcome(experiment().fit, [], milliseconds, num_steps=400)
    assert outcome["steps_per_execution"] == together


def test_steps_at_one_call_end_with_the_weights_of_single_ones(tmp_path):
    single, together = (
        train(experiment(precision="float32", steps_per_execution=steps), tmp_path / str(steps))
        for steps in (1, 4)
    )
    for one, other in zip(single.model.get_weights(), together.model.get_weights(), strict=True):
        np.testing.assert_array_equal(other, one)


def test_steps_that_do_not_divide_an_epoch_are_refused(tmp_path):
    with pytest.raises(UserError, match="must divide the 4 steps of an epoch"):
        train(experiment(steps_per_execution=3), tmp_path / "run")

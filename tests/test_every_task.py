"""What holds for every shipped configuration, whatever its task: found by its YAML, tried on small data."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import UserError
from core.experiment import Experiment, configurations, load_experiment
from core.exporting.export import Exporter
from core.inputs import joined
from core.inputs.limits import Limits
from core.reporting import report_runs
from core.run import Run
from core.serving.requests import decoded
from core.serving.served import schema_of, warm_up
from core.serving.settings import Batching
from core.training.train import train
from tests.cut_off import copied_at, cut_off
from tests.export_alone import answers_without
from tests.miniatures.answers import assert_equal
from tests.small_data import FAMILIES

QUICK = [
    "fit.epochs=3",
    "fit.batch_size=16",
    "fit.patience=null",
    "fit.checkpoint_seconds=0",
    "fit.steps_per_execution=1",
    "audit.leaks=allow",
]
# What a net has more of than two layers of, each compiled many times over, shows nothing that these do not.
SMALL = {
    "width": 8,
    "depth": 1,
    "trees": 30,
    "patches": 160,
    "proposals": 16,
    "crop": 32,
    "crops": 64,
    "judged": 24,
    "dilations": 4,
}
# Epoch and step; the latter for tasks that have no steps.
WITHIN_AN_EPOCH, AFTER_AN_EPOCH = (1, 2), (2, 0)
CONFIGURATIONS = {name: load_experiment(name) for name in configurations()}
every_configuration = pytest.mark.parametrize("name", CONFIGURATIONS)


def able_to(ability: str) -> pytest.MarkDecorator:
    """Return the mark that runs a test for each configuration whose task has an ability."""
    able = [name for name, experiment in CONFIGURATIONS.items() if ability in experiment.task.abilities]
    return pytest.mark.parametrize("name", able)


def family_of(name: str) -> tuple[str, ...]:
    """Return the kinds of inputs and of answers of a configuration's task."""
    task = CONFIGURATIONS[name].task
    return (*(kind.kind for kind in task.takes.values()), task.gives.kind if task.gives else "")


@pytest.fixture(scope="session")
def sources(tmp_path_factory) -> dict[tuple[str, ...], Path]:
    """The small source of each family, written when first asked for."""

    class Sources(dict):
        def __missing__(self, family: tuple[str, ...]) -> Path:
            assert family in FAMILIES, f"tests/small_data.py has no small data for tasks of {family}"
            self[family] = FAMILIES[family].write(tmp_path_factory.mktemp("-".join(family)))
            return self[family]

    return Sources()


@pytest.fixture(scope="session")
def runs(sources, tmp_path_factory) -> dict[str, Run]:
    """The run of each configuration, trained when first asked for."""

    class Runs(dict):
        def __missing__(self, name: str) -> Run:
            folder = tmp_path_factory.mktemp("run") / "whole"
            with copied_at(folder, WITHIN_AN_EPOCH, AFTER_AN_EPOCH):
                self[name] = train(quick(name, sources), folder)
            return self[name]

    return Runs()


def quick(name: str, sources: dict[tuple[str, ...], Path], *overrides: str) -> Experiment:
    small = [
        f"{field}={size}"
        for field, size in SMALL.items()
        if field in type(CONFIGURATIONS[name].task).model_fields
    ]
    return load_experiment(name, [f"data={sources[family_of(name)]}", *QUICK, *small, *overrides])


def raw_inputs(run: Run, name: str, sources: dict[tuple[str, ...], Path]) -> list[Any]:
    """Return raw inputs as a task is given those of a command line."""
    _, kind = joined(run.experiment.task.inputs(run.encoder))
    family = family_of(name)
    return [kind.typed(text) for text in FAMILIES[family].inputs(sources[family])]


@every_configuration
def test_the_loss_falls(name, runs):
    with (runs[name].folder / "history.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]


@every_configuration
def test_a_loaded_run_predicts_what_the_trained_model_predicted(name, runs, sources):
    run, loaded = runs[name], Run(runs[name].folder)
    task, inputs = run.experiment.task, raw_inputs(run, name, sources)
    answers = task.predict(loaded.model, loaded.encoder, inputs)
    assert_equal(answers, task.predict(run.model, run.encoder, inputs))


@able_to("explain")
def test_an_answer_is_explained_by_parts_and_a_picture(name, runs, sources):
    run = runs[name]
    value = raw_inputs(run, name, sources)[0]
    explanation = run.experiment.task.explain(run.model, run.encoder, value)
    plain_data = explanation.to_json()
    assert plain_data["answer"] == run.experiment.task.predict(run.model, run.encoder, [value])[0]
    assert any(part["adds"] for part in plain_data["parts"])
    assert explanation.png().startswith(b"\x89PNG")


@every_configuration
def test_what_a_program_sends_gets_the_answer_of_predict(name, runs, sources):
    run = runs[name]
    inputs = raw_inputs(run, name, sources)
    schema = schema_of(run, Limits())
    kind = schema.input
    sent = [b64encode(Path(value).read_bytes()).decode() for value in inputs] if kind.is_file else inputs
    asked = schema.predict.model_validate({"inputs": sent})
    values = decoded(asked.inputs, kind, Limits(), "predict")
    assert not kind.is_file or all(isinstance(value, np.ndarray) for value in values)
    answers = run.experiment.task.predictor(run.model, run.encoder)(values)
    assert_equal(answers, run.experiment.task.predict(run.model, run.encoder, inputs))


@every_configuration
def test_a_run_answers_the_examples_of_its_documents(name, runs):
    run = runs[name]
    warm = warm_up(run, schema_of(run, Limits()), Batching(size=4))
    assert all(answer for _, answer in warm.examples)


@able_to("export")
def test_an_export_gives_the_answers_of_the_run_where_there_is_no_keras(name, runs, sources, tmp_path):
    run = runs[name]
    inputs = raw_inputs(run, name, sources)
    Exporter(run, tmp_path).export("onnx")
    answers = answers_without(["keras", "tensorflow", "core", "apps"], tmp_path / "onnx", inputs)
    expected = run.experiment.task.predict(run.model, run.encoder, inputs)
    assert [sorted(answer) for answer in answers] == [sorted(answer) for answer in expected]
    np.testing.assert_allclose(numbers(answers), numbers(expected), atol=1e-3)


def numbers(tree: object) -> list[float]:
    """Return the numbers of nested answers, in order."""
    if isinstance(tree, dict | list):
        return [
            each for part in (tree.values() if isinstance(tree, dict) else tree) for each in numbers(part)
        ]
    return [float(tree)] if isinstance(tree, int | float) else []


@every_configuration
def test_each_raw_input_gets_one_answer(name, runs, sources):
    run = runs[name]
    inputs = raw_inputs(run, name, sources)
    assert len(run.experiment.task.predict(run.model, run.encoder, inputs)) == len(inputs)


@every_configuration
def test_the_figures_stand_beside_a_rival_and_their_protocol(name, runs):
    metrics = runs[name].metrics
    for figure in runs[name].experiment.task.figures:
        assert np.isfinite(metrics["test"][figure])
    assert metrics["baseline"]
    assert len(metrics["protocol"]) > 10
    assert metrics["data"]["test"] > 0


@every_configuration
def test_a_report_shows_the_headline_beside_its_rivals_with_the_worst_mistakes(name, runs):
    run = runs[name]
    page = report_runs([run]).read_text(encoding="utf-8")
    figures = json.loads((run.folder / "report" / "figures.json").read_text(encoding="utf-8"))
    (headline, *_) = figures["figures"]
    assert headline["name"] == run.experiment.task.headline()
    assert f"{headline['value']:.4f}" in page
    assert headline["low"] <= headline["value"] <= headline["high"]
    assert headline["rivals"]
    assert page.count('<div class="mistake">') == len(figures["mistakes"])
    assert (run.folder / "card.md").is_file()


@every_configuration
def test_every_test_example_has_its_row_of_predictions(name, runs):
    rows = (runs[name].folder / "predictions.jsonl").read_text().splitlines()
    assert len(rows) > 0


@every_configuration
def test_a_training_cut_off_within_an_epoch_ends_with_the_weights_of_an_uninterrupted_one(
    name, runs, sources
):
    resumed = train(quick(name, sources), cut_off(runs[name].folder), resume=True)
    for expected, received in zip(runs[name].model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(received, expected)


@every_configuration
def test_a_source_that_does_not_exist_is_refused_by_name(name, tmp_path):
    experiment = load_experiment(name, [f"data={tmp_path / 'nowhere'}", *QUICK])
    with pytest.raises(UserError, match="nowhere"):
        train(experiment, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@every_configuration
def test_an_empty_source_is_refused(name, tmp_path):
    source = tmp_path / "empty"
    source.mkdir()
    with pytest.raises(UserError, match="empty"):
        train(load_experiment(name, [f"data={source}", *QUICK]), tmp_path / "run")


@every_configuration
def test_every_field_says_what_it_means(name):
    experiment = load_experiment(name)
    for part in (experiment.task, experiment.fit, experiment.audit):
        missing = [field for field, info in type(part).model_fields.items() if not info.description]
        assert not missing, missing

from __future__ import annotations

import pytest
import yaml

from core.errors import UserError
from core.experiment import Experiment, configuration_path, configurations, experiment_from, load_experiment
from core.fit import Fit
from core.optimizers import FusedAdam

REGRESSION = {"task": {"type": "tests.core.hard_tasks.Regression"}}


def write(path, tree) -> str:
    path.write_text(yaml.safe_dump(tree))
    return str(path)


def test_a_yaml_is_an_experiment_and_an_experiment_is_a_yaml(tmp_path):
    experiment = experiment_from({**REGRESSION, "fit": {"epochs": 3, "learning_rate": "2e-3"}})
    path = tmp_path / "again.yaml"
    path.write_text(experiment.to_yaml())
    assert load_experiment(str(path)) == experiment


def test_a_key_without_a_dot_belongs_to_the_task(tmp_path):
    experiment = load_experiment(write(tmp_path / "a.yaml", REGRESSION), ["dropout=0.5", "fit.epochs=2"])
    assert (experiment.task.dropout, experiment.fit.epochs) == (0.5, 2)


@pytest.mark.parametrize("text", ["{label}", "[a, b]", "007", "1_000", "true", "1.50"])
def test_a_field_that_is_text_takes_what_is_typed_as_it_stands(text):
    task = load_experiment("speech/commands", [f"names={text}", f"task.data={text}"]).task
    assert (task.names, task.data) == (text, text)


def test_fields_that_are_no_text_or_nothing_are_typed_as_yaml():
    task = load_experiment("speech/commands", ["names={label}", "names=null", "test_when={take: [0]}"]).task
    assert (task.names, task.test_when) == (None, {"take": ["0"]})


def test_a_misspelt_field_of_the_task_is_refused_with_the_right_one(tmp_path):
    with pytest.raises(UserError, match=r"Unknown key task\.dropuot\. Did you mean task\.dropout\?"):
        load_experiment(write(tmp_path / "a.yaml", REGRESSION), ["dropuot=0.5"])


def test_a_misspelt_part_is_refused_with_the_right_one():
    with pytest.raises(UserError, match=r"Unknown key fitt\. Did you mean fit\?"):
        experiment_from({**REGRESSION, "fitt": {}})


def test_a_misspelt_task_is_refused_with_the_right_one():
    known = next(iter(configurations()))
    with pytest.raises(UserError, match=f"Did you mean {known}"):
        configuration_path(known[:-1])


@pytest.mark.parametrize(
    "path", ["apps.none.Such", "tests.core.hard_tasks.None", "core.task.contract.Encoder", "Sentiment", 3]
)
def test_a_type_that_is_no_task_is_refused_with_what_was_received(path):
    with pytest.raises(UserError, match=f"Received: {path!r}"):
        experiment_from({"task": {"type": path}})


def test_a_configuration_of_another_version_is_refused():
    with pytest.raises(UserError, match=r"version 1.*Received: version 7"):
        experiment_from({**REGRESSION, "version": 7})


def test_a_search_space_over_a_field_that_does_not_exist_is_refused():
    with pytest.raises(UserError, match=r"tune\.task\.drop"):
        experiment_from({**REGRESSION, "tune": {"task.drop": [0.1]}})


def test_a_range_given_in_scientific_notation_is_numbers():
    experiment = experiment_from(
        {**REGRESSION, "tune": {"fit.learning_rate": {"min": "1e-4", "max": "1e-2"}}}
    )
    assert experiment.tune["fit.learning_rate"].min == 1e-4


@pytest.mark.parametrize(("epochs", "expected"), [(0, "greater than or equal to 1"), (1.5, "integer")])
def test_fit_refuses_epochs_that_make_no_sense(epochs, expected):
    with pytest.raises(UserError, match=rf"fit\.epochs .*{expected}.*Received: {epochs}"):
        experiment_from({**REGRESSION, "fit": {"epochs": epochs}})


def test_the_rate_rises_over_the_warm_up_and_falls_to_nothing_along_a_cosine():
    rate = Fit(learning_rate=0.1, schedule="cosine", warmup=0.5).keras_optimizer(100)._learning_rate
    assert [float(rate(step)) for step in (0, 25, 50, 75, 100)] == pytest.approx(
        [0, 0.05, 0.1, 0.05, 0], abs=1e-6
    )


def test_the_rate_stays_after_a_warm_up_without_a_cosine():
    rate = Fit(learning_rate=0.1, warmup=0.1).keras_optimizer(100)._learning_rate
    assert [float(rate(step)) for step in (5, 10, 99)] == pytest.approx([0.05, 0.1, 0.1], abs=1e-6)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_updates_a_weight_by_one_operation(name):
    assert isinstance(Fit(optimizer=name).keras_optimizer(10), FusedAdam)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "lion", "muon"])
def test_every_optimizer_that_can_be_chosen_exists_in_keras(name):
    assert type(Fit(optimizer=name, clip_norm=1.0).keras_optimizer(10)).__name__.lower() == name


@pytest.mark.parametrize("name", configurations())
def test_every_shipped_configuration_resolves(name):
    assert isinstance(load_experiment(name), Experiment)


def test_what_is_searched_can_be_overridden_by_its_dotted_path():
    experiment = load_experiment("nlp/sentiment", ["tune.fit.epochs=[2,4]", "tune.fit.learning_rate.max=0.5"])
    assert experiment.tune["fit.epochs"].values == [2, 4]
    assert experiment.tune["fit.learning_rate"].max == 0.5


def test_a_null_in_place_of_a_default_is_kept_by_the_yaml(tmp_path):
    experiment = load_experiment("nlp/sentiment", ["character_ngrams=null"])
    (tmp_path / "experiment.yaml").write_text(experiment.to_yaml())
    assert load_experiment(str(tmp_path / "experiment.yaml")).task.character_ngrams is None

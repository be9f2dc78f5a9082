from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.experiment import Experiment, load_experiment
from core.run import Run
from core.search.trial import Order, StopTrialError, remembered, require_reported, run
from core.task.contract import Task
from core.training.train import train
from tests import small_data


@pytest.fixture(scope="module")
def reviews(tmp_path_factory) -> Path:
    return small_data.reviews(tmp_path_factory.mktemp("reviews"))


def experiment(reviews: Path, *overrides: str) -> Experiment:
    quick = [
        *("fit.epochs=3", "fit.batch_size=16", "fit.steps_per_execution=1"),
        *("task.vocabulary_size=200", "audit.leaks=allow"),
    ]
    return load_experiment("nlp/sentiment", [f"data={reviews}", *quick, *overrides])


def order(wanted: Experiment, folder: Path, **options) -> Order:
    usual = {
        "folder": str(folder / "trial"),
        "cache": str(folder / "cache"),
        "experiment": wanted.to_yaml(),
        "objectives": ["val_accuracy"],
        "best": ["max"],
    }
    return Order(**{**usual, **options})


def stop_after(epochs: int):
    def say(known: dict) -> None:
        if known["step"] >= epochs:
            raise StopTrialError

    return say


def test_a_trial_tells_its_size_then_each_epoch_but_the_last(reviews, tmp_path):
    reports: list[dict] = []
    known = run(order(experiment(reviews), tmp_path), reports.append)
    assert [each["step"] for each in reports] == [0, 1, 2]
    assert reports[0]["figures"]["parameters"] == known["parameters"]
    assert set(known) == {"parameters", "epochs", "seconds", "val_accuracy"}


def test_a_trial_that_was_stopped_goes_on_to_the_very_weights_of_one_that_was_not(reviews, tmp_path):
    wanted = experiment(reviews, "fit.schedule=cosine", "task.dropout=0.3")
    whole = train(wanted, tmp_path / "whole")
    stopped = run(order(wanted, tmp_path), stop_after(1))
    assert stopped["epochs"] == 1
    resumed = train(wanted, tmp_path / "trial", resume=True)
    for left, right in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_trial_may_be_told_how_many_epochs_to_train_of_a_longer_schedule(reviews, tmp_path):
    known = run(order(experiment(reviews), tmp_path, stop_after=2), lambda report: None)
    assert known["epochs"] == 2


def test_a_model_that_is_too_large_is_stopped_before_it_trains(reviews, tmp_path):
    with pytest.raises(UserError):
        run(order(experiment(reviews), tmp_path), stop_after(0))
    assert not (tmp_path / "trial" / "history.csv").exists()


def test_the_score_is_that_of_the_weights_that_are_kept(reviews, tmp_path):
    known = run(order(experiment(reviews), tmp_path), lambda report: None)
    resumed = train(experiment(reviews), tmp_path / "trial", resume=True)
    lines = (resumed.folder / "history.csv").read_text().splitlines()
    last = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
    assert known["val_accuracy"] == float(last["val_accuracy"])


def test_a_figure_that_training_does_not_report_is_named_with_those_it_does(reviews, tmp_path):
    wanted = order(experiment(reviews), tmp_path, objectives=["val_f1"])
    with pytest.raises(UserError, match=r"reports no val_f1\. It reports .*val_accuracy"):
        run(wanted, lambda report: None)


def test_folds_leave_the_test_part_alone_and_tell_the_mean(reviews, tmp_path):
    reports: list[dict] = []
    known = run(order(experiment(reviews, "fit.epochs=1"), tmp_path, folds=2), reports.append)
    assert [each["step"] for each in reports] == [0, 1, 2]
    assert known["val_accuracy"] == reports[-1]["figures"]["val_accuracy"]
    runs = [Run(tmp_path / "trial" / name) for name in ("fold-1", "fold-2")]
    assert not any(each.finished for each in runs)


def test_latency_and_size_can_be_objectives(reviews, tmp_path):
    wanted = order(experiment(reviews, "fit.epochs=1"), tmp_path, objectives=["latency_ms"], best=["min"])
    assert run(wanted, lambda report: None)["latency_ms"] > 0


class Loading:
    """Counts how often something is made."""

    def __init__(self, field: str) -> None:
        self.field, self.count = field, 0

    def __call__(self, task: Task) -> str:
        self.count += 1
        return str(getattr(task, self.field))


def remember(cache: Path, wanted: Experiment, make: Loading) -> str:
    def write(folder: Path, value: str) -> None:
        (folder / "value").write_text(value)

    return remembered(
        cache, wanted.task, "step", make, write, lambda folder, task: (folder / "value").read_text()
    )[0]


def test_what_a_trial_leaves_unchanged_is_not_made_again(reviews, tmp_path):
    make = Loading("vocabulary_size")
    for dropout in (0.1, 0.2, 0.3):
        assert remember(tmp_path, experiment(reviews, f"task.dropout={dropout}"), make) == "200"
    assert make.count == 1


def test_what_a_trial_changes_is_made_again(reviews, tmp_path):
    make = Loading("vocabulary_size")
    sizes = [100, 200, 100]
    made = [remember(tmp_path, experiment(reviews, f"task.vocabulary_size={size}"), make) for size in sizes]
    assert made == ["100", "200", "100"]
    assert make.count == 2


def test_trials_share_their_examples(reviews, tmp_path):
    for number, dropout in enumerate((0.1, 0.2)):
        wanted = experiment(reviews, "fit.epochs=1", f"task.dropout={dropout}")
        run(order(wanted, tmp_path / str(number), cache=str(tmp_path / "cache")), lambda report: None)
    assert len(list((tmp_path / "cache").glob("examples-*"))) == 1


def test_an_objective_that_no_training_reports_is_refused_before_any_trial(tmp_path):
    data = small_data.reviews(tmp_path)
    experiment = load_experiment("nlp/sentiment", [f"data={data}"])
    for name in ("accuracy", "val_loss", "parameters", experiment.task.objective):
        require_reported(experiment, [name], tmp_path / "cache")
    with pytest.raises(UserError, match=r"reports no val_acuracy\. It reports loss, accuracy, val_loss"):
        require_reported(experiment, ["val_acuracy"], tmp_path / "cache")

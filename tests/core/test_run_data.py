from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.data.examples import Examples, Splits
from core.errors import UserError
from core.experiment import load_experiment
from core.run import Run
from core.run_data import fingerprints, reloaded, whole_fingerprint
from core.training.calibrating import calibrated
from core.training.folds import cross_validate
from core.training.train import train
from tests.cut_off import copied_at, cut_off

WORDS = ["film", "plot", "scene", "actor", "story", "music"]
QUICK = ["fit.epochs=2", "character_ngrams=null", "fit.tensorboard=false", "fit.steps_per_execution=1"]


def reviews(path: Path, *, flipped: bool = False, leaks: int = 0) -> Path:
    random = np.random.default_rng(0)
    lines = ["text,label"]
    for row in range(120):
        good = (row % 2 == 0) != flipped
        words = [*random.choice(WORDS, 4), ("awful", "lovely")[row % 2 == 0], f"take{row}"]
        lines.append(f"{' '.join(words)},{('bad', 'good')[good]}")
    path.write_text("\n".join([*lines, *lines[1 : leaks + 1]]) + "\n", encoding="utf-8")
    return path


def experiment(data: Path, *overrides: str):
    return load_experiment("nlp/sentiment", [f"data={data}", *QUICK, *overrides])


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("same_data")
    data = reviews(folder / "reviews.csv")
    wanted = experiment(data, "fit.checkpoint_seconds=0")
    with copied_at(folder / "run", (1, 0)):
        train(wanted, folder / "run")
    return folder


@pytest.fixture
def changed(trained):
    """The folder, its labels changed for the length of a test."""
    reviews(trained / "reviews.csv", flipped=True)
    yield trained
    reviews(trained / "reviews.csv")


class Task:
    content = ("text",)
    label = "label"


def splits_of(**changes: list) -> Splits:
    columns = {"text": ["a", "b"], "label": ["x", "y"], "path": ["1", "2"]}
    parts = {name: Examples(columns) for name in ("train", "validation", "test")}
    for place, values in changes.items():
        part, column = place.split("_")
        parts[part] = parts[part].with_columns(**{column: values})
    return Splits(**parts, protocol="by hand")


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize(("column", "values"), [("text", ["a", "c"]), ("label", ["y", "x"])])
def test_a_change_of_any_input_or_target_of_any_part_changes_the_fingerprint(part, column, values):
    before = whole_fingerprint(fingerprints(splits_of(), Task))
    assert whole_fingerprint(fingerprints(splits_of(**{f"{part}_{column}": values}), Task)) != before


def test_where_the_data_lie_is_no_part_of_the_fingerprint():
    moved = splits_of(train_path=["3", "4"])
    assert fingerprints(moved, Task) == fingerprints(splits_of(), Task)


def test_a_task_without_labels_has_all_other_columns_as_targets():
    class Ratings:
        content = ("text",)
        label = None

    before = fingerprints(splits_of(), Ratings)
    changed = fingerprints(splits_of(test_label=["y", "x"]), Ratings)
    assert changed["test"]["targets"] != before["test"]["targets"]


def test_the_data_of_a_run_are_loaded_again(trained):
    assert len(reloaded(Run(trained / "run")).train)


def test_changed_labels_are_refused_by_calibration_and_export(changed):
    message = r"the targets of train, validation, test differ.*fingerprint"
    with pytest.raises(UserError, match=message) as caught:
        calibrated(Run(changed / "run"))
    assert len(str(caught.value).splitlines()) == 1
    assert not (changed / "run" / "calibration.json").exists()
    from core.exporting.export import export_run

    with pytest.raises(UserError, match=message):
        export_run(Run(changed / "run"), ["onnx"])


def test_a_run_that_keeps_the_old_fingerprint_is_compared_as_it_was_then(trained, tmp_path):
    from core.data.content import fingerprint

    run = Run(Path(shutil.copytree(trained / "run", tmp_path / "old")))
    metrics = json.loads((run.folder / "metrics.json").read_text())
    del metrics["data"]["fingerprints"]
    metrics["data"]["fingerprint"] = fingerprint(reloaded(run).train, ("text",))
    run.write_json("metrics.json", metrics)
    assert len(reloaded(Run(run.folder)).train)
    metrics["data"]["fingerprint"] = "0" * 16
    run.write_json("metrics.json", metrics)
    with pytest.raises(UserError, match="the inputs of train differ"):
        reloaded(Run(run.folder))


def test_an_export_that_answers_otherwise_than_metrics_json_says_is_refused(trained, tmp_path):
    from core.exporting.export import export_run

    run = Run(Path(shutil.copytree(trained / "run", tmp_path / "run")))
    metrics = json.loads((run.folder / "metrics.json").read_text())
    metrics["test"]["accuracy"] = 0.25
    run.write_json("metrics.json", metrics)
    with pytest.raises(UserError, match=r"does not answer as when it was judged.*0\.2500"):
        export_run(Run(run.folder), ["onnx"])


def test_a_resume_with_other_labels_than_those_of_the_checkpoint_is_refused(changed, tmp_path):
    run = Path(shutil.copytree(cut_off(changed / "run"), tmp_path / "run"))
    before = (run / "audit.json").read_text()
    wanted = experiment(changed / "reviews.csv", "fit.checkpoint_seconds=0")
    with pytest.raises(UserError, match=r"changed since the checkpoint.*targets of train") as caught:
        train(wanted, run, resume=True)
    assert len(str(caught.value).splitlines()) == 1
    assert (run / "audit.json").read_text() == before


def test_a_resume_with_the_same_data_goes_on(trained, tmp_path):
    run = Path(shutil.copytree(cut_off(trained / "run"), tmp_path / "run"))
    resumed = train(experiment(trained / "reviews.csv", "fit.checkpoint_seconds=0"), run, resume=True)
    assert resumed.metrics["test"] == Run(trained / "run").metrics["test"]


def test_a_run_cut_off_before_its_first_checkpoint_may_go_on_with_other_data(changed, tmp_path):
    run = Path(shutil.copytree(cut_off(changed / "run"), tmp_path / "run"))
    shutil.rmtree(run / "checkpoints")
    finished = train(experiment(changed / "reviews.csv", "fit.checkpoint_seconds=0"), run, resume=True)
    assert len(reloaded(finished).train)


def test_folds_are_audited_before_any_is_trained(tmp_path):
    data = reviews(tmp_path / "reviews.csv")
    with data.open("a", encoding="utf-8") as file:
        file.write("one of its kind,rare\n")  # a class that training lacks in the fold that judges it
    wanted = experiment(data)
    with pytest.raises(UserError, match=r"Fold \d: .*labels that training never saw"):
        cross_validate(wanted, tmp_path / "folds", 3, group="text")
    assert not (tmp_path / "folds").exists()


def test_folds_that_are_there_are_named_with_the_option_of_their_folder(tmp_path):
    wanted = experiment(reviews(tmp_path / "reviews.csv"), "fit.epochs=1")
    cross_validate(wanted, tmp_path / "folds", 2)
    with pytest.raises(UserError, match=r"already holds folds\. Give another --folder, or --resume"):
        cross_validate(wanted, tmp_path / "folds", 2)
    with pytest.raises(UserError, match=r"folds of another configuration.*--folder"):
        cross_validate(experiment(tmp_path / "reviews.csv"), tmp_path / "folds", 2, resume=True)


def test_folds_go_on_under_another_answer_to_leaks_where_their_data_stay_the_same(tmp_path):
    data = reviews(tmp_path / "reviews.csv")
    figures = cross_validate(experiment(data, "fit.epochs=1"), tmp_path / "folds", 2)
    shutil.rmtree(tmp_path / "folds" / "fold-2")
    dropping = experiment(data, "fit.epochs=1", "audit.leaks=drop")
    again = cross_validate(dropping, tmp_path / "folds", 2, resume=True)
    assert again["test"] == figures["test"]
    assert Run(tmp_path / "folds" / "fold-1").experiment == dropping


def test_finished_folds_of_other_data_are_not_gone_on_with(tmp_path):
    data = reviews(tmp_path / "reviews.csv")
    wanted = experiment(data, "fit.epochs=1")
    cross_validate(wanted, tmp_path / "folds", 2)
    reviews(data, flipped=True)
    with pytest.raises(UserError, match=r"not those that .*fold-1 was trained on"):
        cross_validate(wanted, tmp_path / "folds", 2, resume=True)

"""Reports of trained runs: what stands on the page is in the files of the run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.experiment import experiment_from, load_experiment
from core.reporting import report_runs
from core.run import Run
from core.training.calibrating import calibrated
from core.training.train import train
from tests import small_data

QUICK = ["fit.epochs=2", "fit.steps_per_execution=1", "fit.tensorboard=false", "audit.leaks=allow"]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Reviews of which every fifth has the wrong label, so that there are mistakes."""
    path = small_data.reviews(tmp_path_factory.mktemp("data"))
    head, *lines = path.read_text().splitlines()
    turned = {"good": "bad", "bad": "good"}
    for row in range(0, len(lines), 5):
        text, label = lines[row].split("\t")
        lines[row] = f"{text}\t{turned[label]}"
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def runs(source, tmp_path_factory) -> list[Run]:
    """Two runs on the same data."""
    folder = tmp_path_factory.mktemp("runs")
    return [
        train(
            load_experiment("nlp/sentiment", [f"data={source}", f"fit.learning_rate={rate}", *QUICK]),
            folder / name,
        )
        for name, rate in (("slow", 1e-4), ("fast", 1e-2))
    ]


@pytest.fixture(scope="module")
def page(runs) -> str:
    return report_runs(runs[:1]).read_text(encoding="utf-8")


def figures_of(run: Run) -> dict:
    return json.loads((run.folder / "report" / "figures.json").read_text())


def test_the_figures_of_the_page_are_those_of_the_run(runs, page):
    metrics = runs[0].metrics
    for row in figures_of(runs[0])["figures"]:
        assert row["value"] == metrics["test"][row["name"]]
        assert row["rivals"] == {
            rival: figures[row["name"]] for rival, figures in metrics["baseline"].items()
        }
        assert row["low"] <= row["value"] <= row["high"]
        assert f"{row['value']:.4f}" in page


def test_rivals_have_intervals_and_the_gain_over_them_is_paired(runs, page):
    for row in figures_of(runs[0])["figures"]:
        assert set(row["beside"]) == set(row["rivals"])
        for rival, beside in row["beside"].items():
            assert beside["low"] <= row["rivals"][rival] <= beside["high"]
            assert beside["gain"]["value"] == pytest.approx(row["value"] - row["rivals"][rival], abs=1e-5)
            assert f"{beside['low']:.4f} to {beside['high']:.4f}" in page


def test_the_page_tells_what_was_trained_on_what(runs, page):
    metrics = runs[0].metrics
    assert all(part in page for part in (metrics["protocol"], metrics["data"]["fingerprint"], "Sentiment"))
    assert "learning_loss" in {path.stem for path in (runs[0].folder / "report").glob("*.png")}


def test_the_worst_mistakes_stand_there_with_their_text(runs, page, source):
    texts = runs[0].experiment.task.load().test["text"]
    mistakes = figures_of(runs[0])["mistakes"]
    assert mistakes
    assert all(str(texts[row]) in page for row in mistakes)


def test_the_card_holds_purpose_data_figures_and_licence(runs, page, source):
    (source.parent / "LICENSE").write_text("CC0 1.0 Universal\n")
    report_runs(runs[:1])
    card = (runs[0].folder / "card.md").read_text()
    metrics = runs[0].metrics
    assert metrics["data"]["fingerprint"] in card
    assert f"| accuracy | {metrics['test']['accuracy']:.4f} |" in card
    assert "CC0 1.0 Universal" in card
    assert "NBSVM" in card


def test_two_runs_stand_side_by_side_with_what_was_set_otherwise(runs):
    path = report_runs(runs)
    assert path == runs[0].folder / "comparison.html"
    comparison = json.loads((runs[0].folder / "comparison" / "figures.json").read_text())["comparison"]
    assert comparison["runs"] == ["slow", "fast"]
    assert {row["name"] for row in comparison["settings"]} == {"fit.learning_rate"}
    assert len(comparison["pairs"]) == 1
    assert "fit.learning_rate" in path.read_text()


def test_a_calibrated_run_shows_its_calibration(runs, tmp_path):
    shutil.copytree(runs[1].folder, tmp_path / "run")
    chosen = calibrated(Run(tmp_path / "run"), abstain_below=0.9)
    report_runs([Run(tmp_path / "run")])
    figures = figures_of(Run(tmp_path / "run"))
    assert figures["calibration"]["temperature"] == chosen.temperature
    assert figures["details"]["reliability_calibrated"]
    assert f"{chosen.temperature:.3f}" in (tmp_path / "run" / "report.html").read_text()


def test_a_run_whose_data_are_gone_is_reported_without_inputs_and_says_so(runs, source, tmp_path):
    shutil.copytree(runs[0].folder, tmp_path / "run")
    hidden = source.with_suffix(".hidden")
    source.rename(hidden)
    try:
        page = report_runs([Run(tmp_path / "run")]).read_text()
    finally:
        hidden.rename(source)
    assert "Without inputs and slices" in page
    assert "Confidence" in page


def test_a_task_of_another_kind_is_reported_by_its_figures_alone(tmp_path):
    experiment = experiment_from(
        {
            "task": {"type": "tests.core.hard_tasks.Regression"},
            "fit": {"epochs": 1, "batch_size": 8, "steps_per_execution": 1, "tensorboard": False},
            "audit": {"leaks": "allow"},
        }
    )
    run = train(experiment, tmp_path / "run")
    page = report_runs([run]).read_text()
    assert f"{run.metrics['test']['error']:.4f}" in page
    assert "every third example" in page


def test_runs_of_other_kinds_are_not_compared(runs, tmp_path):
    ratings = small_data.ratings(tmp_path)
    other = train(load_experiment("recommendation/ratings", [f"data={ratings}", *QUICK]), tmp_path / "run")
    with pytest.raises(UserError, match="same kind of answer"):
        report_runs([runs[0], other])


def test_a_run_is_not_compared_with_itself(runs):
    with pytest.raises(UserError, match="itself"):
        report_runs([runs[0], Run(runs[0].folder)])


def test_a_page_of_another_suffix_is_refused(runs, tmp_path):
    with pytest.raises(UserError, match=r"ends with \.html"):
        report_runs(runs[:1], tmp_path / "report")


def test_a_run_that_did_not_finish_is_refused(tmp_path):
    with pytest.raises(UserError, match="did not finish"):
        report_runs([Run.create(tmp_path / "run", load_experiment("nlp/sentiment"))])


def test_a_folder_that_can_not_be_written_is_reported(runs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be written"):
        report_runs(runs[:1], tmp_path / "file" / "report.html")


@pytest.mark.parametrize("what", ["image", "wave"])
def test_pictures_are_seen_and_recordings_heard(what, tmp_path):
    name, write = {
        "image": ("vision/classification", small_data.pictures),
        "wave": ("speech/commands", small_data.words),
    }[what]
    experiment = load_experiment(name, [f"data={write(tmp_path)}"])
    task = experiment.task
    examples = task.load().test
    from core.shown import items_of

    kinds = {item.name: item.kind for item in items_of(task.shown({"row": 0}, examples, None))}
    assert kinds[what] == {"image": "picture", "wave": "sound"}[what]


def test_users_are_told_apart_by_what_training_knows_of_them(tmp_path):
    source = small_data.ratings(tmp_path)
    run = train(load_experiment("recommendation/rankings", [f"data={source}", *QUICK]), tmp_path / "run")
    page = report_runs([run]).read_text()
    task = run.experiment.task
    columns = task.slices(task.load(), run.encoder)
    rows = [json.loads(line) for line in (run.folder / "predictions.jsonl").read_text().splitlines()]
    counts = dict(zip(run.encoder.users, run.encoder.user_counts, strict=True))
    assert columns["training ratings by the user"].tolist() == [counts[row["user"]] for row in rows]
    assert "training ratings of the chosen items" in page
    assert np.isfinite(figures_of(run)["mean_loss"])

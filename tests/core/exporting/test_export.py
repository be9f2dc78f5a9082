from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.answers.calibration import Calibration
from core.errors import UserError
from core.experiment import load_experiment
from core.exporting import export as exporting
from core.exporting.export import Exporter, export_run
from core.exporting.runtime import Graph
from core.run import Run
from core.task.portable import FORMATS
from core.training.train import train
from tests import small_data
from tests.core.serving.fake_runs import Lengths, write_run

QUICK = ["fit.epochs=1", "fit.steps_per_execution=1", "fit.tensorboard=false", "audit.leaks=allow"]


@pytest.fixture(scope="module")
def ratings(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("ratings")
    data = small_data.ratings(folder)
    overrides = [f"data={data}", *QUICK]
    return train(load_experiment("recommendation/ratings", overrides), folder / "run")


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("texts")
    overrides = [f"data={small_data.reviews(folder)}", "encoder=recurrent", "width=8", *QUICK]
    return train(load_experiment("nlp/sentiment", overrides), folder / "run")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("pictures")
    data = small_data.pictures(folder)
    overrides = [f"data={data}", "width=16", *QUICK]
    return train(load_experiment("vision/classification", overrides), folder / "run")


@pytest.fixture(scope="module")
def bag(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("bag")
    data = small_data.reviews(folder)
    overrides = [f"data={data}", "fit.precision=mixed_bfloat16", *QUICK]
    return train(load_experiment("nlp/sentiment", overrides), folder / "run")


@pytest.fixture(scope="module")
def in_onnx(ratings, tmp_path_factory) -> Run:
    """A run that was exported once."""
    run = Run(shutil.copytree(ratings.folder, tmp_path_factory.mktemp("in_onnx") / "run"))
    export_run(run, ["onnx"])
    return run


@pytest.fixture
def run(ratings, tmp_path) -> Run:
    """A copy, whose folder a test may change."""
    return Run(shutil.copytree(ratings.folder, tmp_path / "run"))


@pytest.fixture
def exported(in_onnx, tmp_path) -> Run:
    """A copy, with its export, whose folder a test may change."""
    return Run(shutil.copytree(in_onnx.folder, tmp_path / "run"))


@pytest.fixture(scope="module")
def of_texts(texts, tmp_path_factory) -> Exporter:
    """What has exported a net whose steps depend on the length of a text, to all formats."""
    exporter = Exporter(texts, tmp_path_factory.mktemp("of_texts"))
    for kind in FORMATS:
        assert exporter.export(kind).largest_difference < 1e-5
    return exporter


def wrong(monkeypatch: pytest.MonkeyPatch, change: float) -> None:
    """Let exported graphs answer otherwise than the model, from here on."""
    call = Graph.__call__
    monkeypatch.setattr(Graph, "__call__", lambda self, inputs: call(self, inputs) + change)


@pytest.mark.parametrize("kind", FORMATS)
def test_all_formats_hold_a_net_whose_steps_depend_on_the_length_of_a_text(kind, of_texts):
    inputs = ["a lovely film", "awful", ""]
    loader = exporting.predictor(of_texts.portable, of_texts.folder / kind)
    np.testing.assert_allclose(loader.outputs(inputs), of_texts.portable.score(inputs), atol=1e-5)


def test_a_saved_model_of_a_text_task_takes_texts(of_texts):
    assert Graph(of_texts.folder / "saved_model").inputs == ["text"]


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_a_quantised_export_is_smaller_and_says_what_it_loses(kind, pictures, tmp_path):
    exporter = Exporter(pictures, tmp_path)
    whole, small = exporter.export(kind), exporter.export(kind, "int8", max_loss=1.0)
    assert small.bytes < 0.5 * whole.bytes
    assert small.loss == pytest.approx(whole.figures["accuracy"] - small.figures["accuracy"], abs=1e-6)


def test_a_calibrated_run_leaves_with_its_temperature_and_its_threshold(texts, tmp_path):
    run = Run(shutil.copytree(texts.folder, tmp_path / "run"))
    calibration = Calibration(temperature=3.0, label="good", threshold=0.99, abstain_below=0.999)
    run.write_json("calibration.json", calibration.model_dump())
    exporter = Exporter(run)
    exporter.export("onnx")
    loader = exporting.predictor(exporter.portable, run.folder / "exports" / "onnx")
    expected = run.experiment.task.predict(run.model, run.encoder, ["a lovely film"])
    (answer,) = loader.predict(["a lovely film"])
    assert answer["probability"] == pytest.approx(expected[0]["probability"], abs=1e-4)
    assert (answer["label"], answer["abstained"]) == ("bad", True)


def test_a_run_in_mixed_precision_leaves_in_single_precision(bag, tmp_path):
    assert bag.experiment.fit.precision == "mixed_bfloat16"
    assert Exporter(bag, tmp_path).export("onnx").largest_difference < 1e-5


def test_an_export_that_answers_otherwise_leaves_nothing_behind(run, monkeypatch):
    wrong(monkeypatch, 0.1)
    with pytest.raises(UserError, match="answers otherwise than the run"):
        Exporter(run).export("onnx")
    assert not (run.folder / "exports").exists()


def test_an_export_that_fails_leaves_the_one_before_as_it_was(exported, monkeypatch):
    folder = exported.folder / "exports" / "onnx"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    wrong(monkeypatch, np.nan)
    with pytest.raises(UserError):
        Exporter(exported).export("onnx")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list(folder.parent.iterdir()) == [folder]


def test_a_quantised_export_that_loses_too_much_is_refused(run, monkeypatch):
    wrong(monkeypatch, 0.5)
    with pytest.raises(UserError, match=r"loses 0\.\d+ of rmse.*--max-loss is 0.01"):
        Exporter(run).export("litert", "int8")
    assert not (run.folder / "exports").exists()


def test_a_quantised_export_that_is_no_smaller_is_refused(run, monkeypatch):
    monkeypatch.setattr(exporting, "quantise_onnx", lambda *_: None)
    with pytest.raises(UserError, match=r"is no smaller than without --quantize.*bytes"):
        Exporter(run).export("onnx", "int8")
    assert not (run.folder / "exports").exists()


def test_a_quantised_saved_model_is_refused_where_keras_can_t_turn_the_weights(run):
    with pytest.raises(UserError, match="hold 0% of this model's weights"):
        Exporter(run).export("saved_model", "int8")


def test_the_table_keeps_earlier_exports_and_times_all_of_them(exported):
    table = export_run(exported, ["litert"])
    assert [row["name"] for row in table["exports"]] == ["onnx", "litert"]
    assert set(table["exports"][0]["milliseconds"]) == set(table["model"]["milliseconds"]) == {"1", "32"}
    kept = json.loads((exported.folder / "exports.json").read_text(encoding="utf-8"))
    assert kept["exports"] == table["exports"]


def test_the_table_forgets_exports_that_are_gone(exported):
    shutil.rmtree(exported.folder / "exports" / "onnx")
    assert [row["name"] for row in export_run(exported, ["litert"])["exports"]] == ["litert"]


def test_the_table_forgets_exports_that_take_other_inputs(exported, monkeypatch):
    monkeypatch.setattr(exporting, "_inputs_of", lambda folder: {"waves", "lengths"})
    assert [row["name"] for row in export_run(exported, ["litert"])["exports"]] == ["litert"]


def test_a_run_that_was_moved_keeps_its_exports(exported, tmp_path):
    moved = Run(exported.folder.rename(tmp_path / "moved"))
    assert [row["name"] for row in export_run(moved, ["litert"])["exports"]] == ["onnx", "litert"]


def test_a_format_whose_packages_are_missing_names_them(run, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "tf2onnx" else find(name, *rest)
    )
    with pytest.raises(UserError, match=r"keras-quartet\[export\].*no tf2onnx"):
        Exporter(run).export("onnx")


def test_a_task_that_can_t_leave_keras_says_so(tmp_path):
    with pytest.raises(UserError, match=r"Lengths, the task of .* is not able to export"):
        Exporter(Run(write_run(tmp_path / "run", Lengths)))


def test_a_folder_without_a_graph_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="is no export"):
        Graph(tmp_path)

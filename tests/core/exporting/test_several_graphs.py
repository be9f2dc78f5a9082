from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.experiment import experiment_from
from core.exporting import export as exporting
from core.exporting.calibration_batches import calibration_batches
from core.exporting.export import Exporter, export_run
from core.exporting.runtime import Graph
from core.run import Run
from core.task.portable import FORMATS, Portable
from core.training.train import train
from tests.export_alone import answers_without
from tests.miniatures.several_graphs import SeveralGraphs

INPUTS = ["3 1 4", "5", "6 2 2 1", "1 2"]
FILES = {
    "saved_model": {"saved_model", "decoder_step_saved_model"},
    "onnx": {"model.onnx", "decoder_step.onnx"},
    "litert": {"model.tflite", "decoder_step.tflite"},
}
# The SavedModel alone may take TensorFlow, and none may take Keras or this project.
MISSING = {kind: ["keras", "core", "apps", "tests"] for kind in FORMATS}
for each in ("onnx", "litert"):
    MISSING[each].append("tensorflow")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    task = {"type": "tests.miniatures.several_graphs.SeveralGraphs"}
    fit = {"epochs": 25, "batch_size": 64, "learning_rate": 0.005, "steps_per_execution": 1}
    experiment = experiment_from({"task": task, "fit": {**fit, "tensorboard": False, "patience": None}})
    run = train(experiment, tmp_path_factory.mktemp("several") / "run")
    assert run.metrics["test"]["error"] < 0.1  # what has learnt nothing can lose nothing
    return run


@pytest.fixture(scope="module")
def exporter(trained, tmp_path_factory) -> Exporter:
    return Exporter(trained, tmp_path_factory.mktemp("exports"))


@pytest.mark.parametrize("quantise", [None, "int8"])
@pytest.mark.parametrize("kind", FORMATS)
def test_two_graphs_and_a_loop_answer_as_the_run_does_where_there_is_no_keras(
    kind, quantise, exporter, trained
):
    export = exporter.export(kind, quantise)
    folder = exporter.folder / export.name
    expected = trained.experiment.task.predict(trained.model, trained.encoder, INPUTS)
    assert answers_without(MISSING[kind], folder, INPUTS) == expected
    assert FILES[kind] <= {path.name for path in folder.iterdir()}
    if quantise is None:
        assert export.largest_difference < 1e-4


@pytest.fixture(scope="module")
def in_onnx(exporter) -> Path:
    exporter.export("onnx")
    return exporter.folder / "onnx"


def test_the_size_of_an_export_is_that_of_all_its_graphs(exporter):
    export = exporter.export("onnx")
    files = [exporter.folder / "onnx" / name for name in FILES["onnx"]]
    assert export.bytes == sum(path.stat().st_size for path in files)


def test_a_graph_of_several_outputs_returns_them_by_name(in_onnx):
    outputs = Graph(in_onnx).named({"numbers": np.ones((2, 4), np.int32)})
    assert {name: array.shape for name, array in outputs.items()} == {
        "memory": (2, 4, 64),
        "state": (2, 64),
    }


def test_a_graph_of_several_outputs_has_no_single_one(in_onnx):
    with pytest.raises(ValueError, match=r"several outputs.*memory, state"):
        Graph(in_onnx)({"numbers": np.ones((2, 4), np.int32)})


def test_a_graph_that_an_export_lacks_is_refused_by_name(in_onnx):
    with pytest.raises(UserError, match=r"no export with a language_model.*language_model\.onnx"):
        Graph(in_onnx, "language_model")


def test_the_ranges_of_each_graph_are_taken_from_what_decoding_feeds_it(exporter, in_onnx):
    batches = calibration_batches(exporting.predictor(exporter.portable, in_onnx), [INPUTS, INPUTS[:1]])
    assert {name: len(calls) for name, calls in batches.items()} == {"model": 2, "decoder_step": 10}
    states = [batch["state"] for batch in batches["decoder_step"]]
    assert not np.allclose(states[0], states[1])
    assert Graph.listener is None


def test_a_graph_that_no_answer_needs_is_not_quantised_by_guess(exporter, in_onnx, monkeypatch):
    heard = {"model": [{"numbers": np.ones((1, 4), np.int32)}]}
    monkeypatch.setattr(exporting, "calibration_batches", lambda *_: heard)
    with pytest.raises(UserError, match="ranges of decoder_step can't be measured"):
        exporter.export("onnx", "int8")


def test_an_export_whose_second_graph_answers_otherwise_is_refused(trained, tmp_path, monkeypatch):
    named = Graph.named

    def wrong(self: Graph, inputs: dict) -> dict:
        outputs = named(self, inputs)
        return {**outputs, "logits": outputs["logits"] + 0.01} if "logits" in outputs else outputs

    monkeypatch.setattr(Graph, "named", wrong)
    with pytest.raises(UserError, match=r"answers otherwise than the run.*outputs differ by up to 0\.01"):
        Exporter(trained, tmp_path / "exports").export("onnx")


def test_the_table_forgets_exports_that_lack_a_graph_of_today(trained, tmp_path, monkeypatch):
    times = {"1": 0.0, "32": 0.0}
    monkeypatch.setattr(exporting, "milliseconds", lambda predictors, _: dict.fromkeys(predictors, times))
    run = Run(shutil.copytree(trained.folder, tmp_path / "run"))
    export_run(run, ["onnx"])
    assert [row["name"] for row in export_run(run, ["litert"])["exports"]] == ["onnx", "litert"]
    (run.folder / "exports" / "onnx" / "decoder_step.onnx").unlink()
    assert [row["name"] for row in export_run(run, ["litert"])["exports"]] == ["litert"]


@pytest.mark.parametrize("name", ["model", "Encoder", "a.b", "../up", ""])
def test_a_graph_is_named_by_what_can_be_a_file_of_its_own(name, trained):
    portable = SeveralGraphs().portable(trained.model, None)
    values = {**vars(portable), "graphs": {name: portable.graph}}
    with pytest.raises(ValueError, match="is named by small letters"):
        Portable(**values)


def test_an_output_that_is_called_like_an_input_is_refused(trained):
    graph = SeveralGraphs().portable(trained.model, None).graphs["decoder_step"]
    with pytest.raises(ValueError, match="Received twice: state"):
        replace(graph, output=("logits", "state"))

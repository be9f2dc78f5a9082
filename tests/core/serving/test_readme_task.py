"""README's task in one file, whose run is asked by command line, over HTTP and on its page."""

from __future__ import annotations

import json
import sys
import threading
from types import ModuleType

import httpx
import numpy as np
import pytest
import uvicorn
from typer.testing import CliRunner

from core.cli import app
from core.experiment import load_experiment
from core.serving.application import application
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import ServerSettings
from core.training.train import train
from tests.core.serving.browsing import needs_chromium
from tests.core.serving.test_application import until
from tests.markdown import ROOT, blocks

MODULE = "apps.tables.diagnosis"
ILL, WELL = {"age": 2.0, "pressure": 0.5}, {"age": -2.0, "pressure": 0.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of the task on 90 patients, of whom those are ill whose (centred) age is above 0."""
    folder = tmp_path_factory.mktemp("diagnosis")
    code, configuration = (
        next(block.text for block in blocks(ROOT / "README.md") if block.comment == comment)
        for comment in (f"module: {MODULE}", "file: diagnosis.yaml")
    )
    (folder / "diagnosis.yaml").write_text(configuration)
    rows = np.random.default_rng(0).normal(size=(90, 2)).round(3)
    lines = [f"{age},{pressure},{'yes' if age > 0 else 'no'}" for age, pressure in rows]
    (folder / "heart.csv").write_text("\n".join(["age,pressure,ill", *lines]) + "\n")
    settings = [f"data={folder / 'heart.csv'}", "label_column=ill", "fit.tensorboard=false"]
    with pytest.MonkeyPatch.context() as patch:
        module = ModuleType(MODULE)
        patch.setitem(sys.modules, MODULE, module)
        exec(compile(code, "README.md", "exec"), module.__dict__)
        yield train(load_experiment(str(folder / "diagnosis.yaml"), settings), folder / "run").folder


@pytest.fixture(scope="module")
def address(folder):
    """A server of the run, in a thread of this process, which alone knows the task."""
    serving = Serving([Source("diagnosis", folder)], ServerSettings(), Protection())
    server = uvicorn.Server(uvicorn.Config(application(serving), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started and serving.ready)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def predicted(folder, *arguments) -> list[dict]:
    done = CliRunner().invoke(app, ["predict", str(folder), *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_row_is_given_on_the_command_line_as_pairs_as_values_or_as_json(folder):
    pairs, values, in_json = predicted(folder, "age=2 pressure=0.5", "2,0.5", json.dumps(ILL))
    assert pairs == values == in_json
    assert pairs["label"] == "yes"
    assert "line" not in pairs


@pytest.mark.parametrize(
    ("name", "text", "numbers"),
    [
        ("rows.csv", "pressure,age,id\n0.5,2,1\n\n0.5,-2,2\n", [2, 4]),
        ("rows.tsv", "age\tpressure\n2\t0.5\n-2\t0.5\n", [2, 3]),
        ("rows.jsonl", f"{json.dumps(ILL)}\n{json.dumps(WELL)}\n", [1, 2]),
        ("rows.txt", "2,0.5\nage=-2 pressure=0.5\n", [1, 2]),
    ],
)
def test_each_row_of_a_file_is_answered_with_its_line(folder, tmp_path, name, text, numbers):
    (tmp_path / name).write_text(text)
    answers = predicted(folder, "--file", tmp_path / name)
    assert [(answer["line"], answer["label"]) for answer in answers] == list(
        zip(numbers, ["yes", "no"], strict=True)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2"], "A row has 2 values, age,pressure; or write NAME=VALUE. Received: 1 values in '2'."),
        (["age=old"], "The age is wrong: "),
        (["weight=3"], "A row has the columns age, pressure. Received: weight."),
    ],
)
def test_a_row_that_is_none_is_reported_in_a_line(folder, arguments, message):
    done = CliRunner().invoke(app, ["predict", str(folder), *arguments])
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_row_is_sent_over_http(address):
    answer = httpx.post(f"{address}/v1/diagnosis/predict", json={"inputs": [ILL, WELL, {}]}).json()
    assert [each["label"] for each in answer["predictions"]][:2] == ["yes", "no"]
    refused = httpx.post(f"{address}/v1/diagnosis/predict", json={"inputs": [ILL, {"age": "old"}]})
    assert (refused.status_code, refused.json()["field"]) == (422, "inputs[1].age")


@needs_chromium
def test_a_row_is_filled_in_on_the_page(page):
    page = page("diagnosis")
    labels = [label.text.split("\n")[0] for label in page.all(".row .field")]
    assert labels == ["age", "pressure"]
    page("#column-0").send_keys("2")
    page("#column-1").send_keys("0.5")
    label, shares = page.prediction()
    assert (label, set(shares)) == ("yes", {"yes", "no"})

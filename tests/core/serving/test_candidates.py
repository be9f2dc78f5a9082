"""Newer runs that would take the server along, or that are nobody's."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from core.errors import UserError
from core.experiment import load_experiment
from core.run import Run
from core.serving import candidates
from core.serving.candidates import try_apart
from core.serving.protection import Protection
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import ServerSettings
from core.training.train import train
from tests import small_data
from tests.core.serving.fake_runs import Lengths, Sums, write_run
from tests.core.serving.test_application import SETTINGS, ReadyClient, predict, until


@pytest.fixture
def parent(tmp_path, monkeypatch) -> Path:
    """A folder of runs, with one in it."""
    monkeypatch.setattr(Run, "model", None)
    write_run(tmp_path / "lengths" / "good", Lengths)
    return tmp_path / "lengths"


def client_of(parent: Path, settings: ServerSettings = SETTINGS) -> ReadyClient:
    return ReadyClient(Serving([Source("lengths", parent)], settings, Protection()))


def drop(parent: Path, experiment: str, name: str = "dropped", seconds: float = 60.0) -> Path:
    """Write a run that is newer than all others."""
    folder = write_run(parent / name, Lengths)
    (folder / "experiment.yaml").write_text(experiment)
    os.utime(folder / "metrics.json", (time.time() + seconds,) * 2)
    return folder


DROPPED = {
    "a module that ends the process": "task: {type: unittest.__main__.X}\n",
    "a module that opens a browser": "task: {type: antigravity.X}\n",
    "no yaml": "task: [\n",
    "aliases": "a: &a [1]\ntask: *a\n",
    "another kind": f"task: {{type: {Sums.__module__}.Sums}}\n",
    "no mapping": "3\n",
}


@pytest.mark.parametrize("experiment", DROPPED.values(), ids=DROPPED)
def test_a_run_that_is_dropped_beside_the_served_one_disturbs_nothing(parent, experiment):
    with client_of(parent) as client:
        served = client.serving.runs["lengths"]
        drop(parent, experiment)
        until(lambda: served._refused)
        assert predict(client, ["abc"]).json() == {"run": "good", "predictions": [{"length": 3}]}
        assert client.get("/").status_code == client.get("/try/lengths").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert "antigravity" not in sys.modules


def test_a_good_run_takes_over_although_a_bad_one_calls_itself_newer(parent):
    with client_of(parent) as client:
        served = client.serving.runs["lengths"]
        drop(parent, DROPPED["no yaml"], seconds=10**6)
        until(lambda: served._refused)
        write_run(parent / "better", Lengths, factor=10)
        until(lambda: predict(client, ["abc"]).json()["run"] == "better")


def test_a_server_starts_with_the_newest_run_that_opens(parent):
    drop(parent, DROPPED["a module that ends the process"])
    with client_of(parent) as client:
        assert predict(client, ["abc"]).json()["run"] == "good"


def test_a_server_starts_with_the_newest_run_that_loads(parent):
    broken = drop(parent, (parent / "good" / "experiment.yaml").read_text())
    (broken / "encoder.json").write_text("{")
    with client_of(parent) as client:
        assert predict(client, ["abc"]).json()["run"] == "good"


def test_the_only_run_says_why_it_can_t_be_served(parent):
    (parent / "good" / "experiment.yaml").write_text(DROPPED["a module that opens a browser"])
    with pytest.raises(UserError, match="QUARTET_TRUST=antigravity"):
        client_of(parent)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.abort()", "ends the process that loads it, with signal 6"),
        ("raise SystemExit(7)", "exit code 7"),
        ("import time; time.sleep(60)", "was not loaded within 2 s"),
        ("import sys; print('warning\\nIt is damaged.', file=sys.stderr); sys.exit(2)", r"^It is damaged\.$"),
    ],
)
def test_whatever_a_run_does_to_the_process_that_tries_it_becomes_a_line(parent, monkeypatch, code, reason):
    monkeypatch.setattr(candidates, "COMMAND", (sys.executable, "-c", code))
    with pytest.raises(UserError, match=reason):
        asyncio.run(try_apart(Run(parent / "good"), 2.0))


def test_a_run_that_kills_what_loads_it_is_tried_apart_and_never_loaded(parent, monkeypatch):
    settings = SETTINGS.model_copy(update={"try_apart": True})
    monkeypatch.setattr(candidates, "COMMAND", (sys.executable, "-c", "import os; os.abort()"))
    with client_of(parent, settings) as client:
        drop(parent, (parent / "good" / "experiment.yaml").read_text())
        until(lambda: client.serving.runs["lengths"]._refused)
        assert predict(client, ["abc"]).json()["run"] == "good"


def test_a_real_run_is_loaded_apart_and_a_damaged_one_is_reported(tmp_path):
    data = small_data.reviews(tmp_path)
    overrides = [f"data={data}", "fit.epochs=1", "fit.tensorboard=false", "fit.steps_per_execution=1"]
    run = train(load_experiment("nlp/sentiment", [*overrides, "audit.leaks=allow"]), tmp_path / "run")
    asyncio.run(try_apart(run, 120.0))
    (run.folder / "model.keras").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"model\.keras does not fit"):
        asyncio.run(try_apart(run, 120.0))

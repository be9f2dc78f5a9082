from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.processes import ROOT, import_environment, python_module
from tests.core import hard_tasks

WHERE_IT_IS = "import core, json, small; print(json.dumps([core.__file__, small.__file__]))"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A user's folder, with packages that are called like ours, and a module of a task."""
    for name in ("core", "tests"):
        package = tmp_path / "work" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"raise RuntimeError('the {name} of the user was imported')\n")
    (tmp_path / "work" / "small.py").write_text("")
    shutil.copy(str(hard_tasks.__file__), tmp_path / "work" / "mine.py")
    return tmp_path / "work"


def finished(command: list[str], folder: Path, **environment: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(folder))), **environment}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    logs = "".join(path.read_text() for path in folder.rglob("trial.log"))
    assert done.returncode == 0, done.stderr[-3000:] + logs[-3000:]
    return done.stdout


def test_a_search_runs_where_the_user_has_a_core_and_a_task_of_their_own(folder):
    experiment = {
        "task": {"type": "mine.Regression"},
        "fit": {"epochs": 1, "steps_per_execution": 1, "learning_rate": 0.01, "tensorboard": False},
        "tune": {"fit.learning_rate": [0.01, 0.1]},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(experiment))
    temporary = folder.with_name("temporary")
    temporary.mkdir()
    command = [
        sys.executable,
        "-P",
        "-m",
        "core.cli",
        "tune",
        "mine.yaml",
        "--trials",
        "1",
        "--folder",
        "found",
    ]
    finished(command, folder, TMPDIR=str(temporary))
    outcome = json.loads((folder / "found" / "outcome.json").read_text())
    assert outcome["trials"] == {"finished": 1}
    assert list(temporary.iterdir()) == []


def test_the_words_of_the_sample_are_spoken_where_the_user_has_a_core_of_their_own(folder, monkeypatch):
    script = f"""
import sys
from pathlib import Path
from core.data import voices
command = voices.python_module
# Two of the voices are enough, in the process that speaks.
few = "import runpy, core.data.voices as voices; voices.TIMBRES = ('m1', 'f1'); " \\
    "import sys; voices.speak_all(voices.Path(sys.argv[1]), int(sys.argv[2]))"
voices.python_module = lambda module, *rest: [*command(module)[:2], "-c", few, *rest]
print(len(voices.spoken(Path({str(folder)!r}), 8000)))
"""
    count = int(finished([sys.executable, "-P", "-c", script], folder))
    assert count == 2 * 4 * 10


def test_a_module_is_not_taken_from_the_working_directory(folder):
    command = python_module("core.search.trial")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, input="{}\n", capture_output=True, text=True, timeout=120
    )
    assert "missing" in done.stderr  # of an order that is empty: it is our trial that read it
    assert "of the user" not in done.stderr


def test_a_process_finds_the_modules_of_the_one_that_starts_it(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    command = [sys.executable, "-P", "-c", WHERE_IT_IS]
    done = subprocess.run(command, cwd="/", env=import_environment(), capture_output=True, text=True)
    assert json.loads(done.stdout) == [str(ROOT / "core" / "__init__.py"), str(folder / "small.py")]


def test_a_working_directory_with_a_core_of_its_own_comes_behind_this_project(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # as in a notebook
    monkeypatch.chdir(folder)
    folders = import_environment()["PYTHONPATH"].split(os.pathsep)
    assert folders[:2] == [str(ROOT), str(folder)]

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from core import trust
from core.errors import UserError
from core.experiment import experiment_from, load_experiment, task_class_at
from core.run import Run
from core.task import Task
from core.trust import check_trusted

ROOT = Path(__file__).parents[2]
OWN_TASK = "from tests.core.hard_tasks import Regression\nclass Mine(Regression):\n    '''Of the user.'''\n"


def stranger(folder: Path, task: str) -> Path:
    """Write a run folder that names a task."""
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(f"task: {{type: {task}}}\n")
    (folder / "metrics.json").write_text('{"test": {}, "baseline": {}, "data": {}}')
    return folder


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Give a module that leaves a file behind when it is imported, and that file."""
    (tmp_path / "trap.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'sprung')!r}).touch()\n{OWN_TASK}"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "trap", tmp_path / "sprung"
    sys.modules.pop("trap", None)


@pytest.mark.parametrize("opened", ["Run", "load_experiment", "the file"])
def test_a_run_folder_imports_nothing_that_is_not_trusted(tmp_path, trap, opened):
    module, sprung = trap
    folder = stranger(tmp_path / "run", f"{module}.Mine")
    open_it = {
        "Run": lambda: Run(folder).experiment,
        "load_experiment": lambda: load_experiment(str(folder)),
        "the file": lambda: load_experiment(str(folder / "experiment.yaml")),
    }
    with pytest.raises(UserError, match=rf"QUARTET_TRUST={module} "):
        open_it[opened]()
    assert not sprung.exists()


@pytest.mark.parametrize("named", ["trap", " other , trap", "trap,"])
def test_what_the_user_trusts_is_imported(tmp_path, trap, monkeypatch, named):
    module, _ = trap
    monkeypatch.setenv(trust.VARIABLE, named)
    assert type(Run(stranger(tmp_path / "run", f"{module}.Mine")).experiment.task).__name__ == "Mine"


@pytest.mark.parametrize("named", ["tra", "trap2", "trap.inner", ""])
def test_trust_is_of_whole_names(tmp_path, trap, monkeypatch, named):
    module, sprung = trap
    monkeypatch.setenv(trust.VARIABLE, named)
    with pytest.raises(UserError, match="QUARTET_TRUST"):
        _ = Run(stranger(tmp_path / "run", f"{module}.Mine")).experiment
    assert not sprung.exists()


def test_trust_in_a_package_is_trust_in_its_modules(monkeypatch):
    monkeypatch.setenv(trust.VARIABLE, "mine")
    check_trusted("mine.tasks.Churn", "runs/one", Task)


def test_an_installed_plugin_is_trusted(monkeypatch):
    plugin = types.SimpleNamespace(module="sold.tasks")
    monkeypatch.setattr(trust, "entry_points", lambda group: [plugin] if group == "quartet.tasks" else [])
    check_trusted("sold.tasks.Churn", "runs/one", Task)
    with pytest.raises(UserError, match="QUARTET_TRUST=sold "):
        check_trusted("sold.Churn", "runs/one", Task)


def test_the_user_s_own_configuration_may_name_a_module_and_then_its_run_opens_again(tmp_path, trap):
    module, _ = trap
    own = tmp_path / "mine.yaml"
    own.write_text(f"task: {{type: {module}.Mine}}\n")
    experiment = load_experiment(str(own))
    assert Run.create(tmp_path / "run", experiment).experiment == experiment
    assert Run(tmp_path / "run").experiment == experiment


@pytest.mark.parametrize(
    "task",
    [
        "venv.__main__.X",
        "antigravity.X",
        "unittest.__main__.X",
        "os.path.join",
        "core.task.Task",
        "core.task.contract.Task",
        "core.cli.main",
        "keras.Model",
        "apps_of_mine.X",
        "subprocess.Popen",
    ],
)
def test_the_names_that_were_tried_as_attacks_are_refused_before_an_import(tmp_path, task):
    folder = stranger(tmp_path / "run", task)
    code = (
        "import sys\n"
        "from core.errors import UserError\n"
        "from core.run import Run\n"
        "before = set(sys.modules)\n"
        "try: Run(sys.argv[1]).experiment\n"
        "except UserError: print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "task",
    ["[1, 2]", "{a: b}", "''", "Sentiment", "apps..Sentiment", "apps.nlp sentiment.X", "3", "'a.b\\nc'"],
)
def test_a_name_that_is_none_is_refused_in_a_line(tmp_path, task):
    with pytest.raises(UserError, match=r"task\.type must be a module and a class") as caught:
        _ = Run(stranger(tmp_path / "run", task)).experiment
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", r"ZeroDivisionError: division by zero \(.*broken\.py, line 1\)"),
        ("def", "invalid syntax"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
    ],
)
def test_a_module_of_the_user_s_that_fails_is_reported_in_a_line(tmp_path, monkeypatch, source, reason):
    (tmp_path / "broken.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=reason) as caught:
        experiment_from({"task": {"type": "broken.Task"}})
    assert len(str(caught.value).splitlines()) == 1


def test_a_task_without_its_methods_is_none():
    with pytest.raises(UserError, match="subclass"):
        task_class_at("core.task.contract.Task")

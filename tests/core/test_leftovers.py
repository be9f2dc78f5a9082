from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.processes import ROOT


@pytest.fixture
def temporary(tmp_path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def test_a_training_leaves_the_temporary_folder_empty(tmp_path, temporary):
    experiment = {
        "task": {
            "type": "tests.miniatures.generation.Generation"
        },  # whose windows are cut by a traced function
        "fit": {"epochs": 1, "steps_per_execution": 1, "tensorboard": True},
        "audit": {"leaks": "allow"},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(experiment))
    command = [sys.executable, "-m", "core.cli", "train", "small.yaml", "--run", "run"]
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "metrics.json").is_file()
    assert list(temporary.iterdir()) == []

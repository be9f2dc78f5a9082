"""Runs exports as programs that lack what they must not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def answers_without(modules: list[str], folder: Path, inputs: list[str]) -> list[dict]:
    """Run an export's own code in a process that can't import these modules."""
    script = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({modules})); "
        f"sys.argv = ['predict.py', *{inputs}]; sys.path.insert(0, '.'); "
        "runpy.run_path('predict.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]

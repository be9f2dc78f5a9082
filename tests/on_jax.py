"""Runs the value tests of a module once more, on JAX, in a process of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Set in the process that `rerun_on_jax` starts, so that the rerun does not start another.
GUARD = "QUARTET_RERUN_ON_JAX"
NO_TESTS_COLLECTED = 5


def rerun_on_jax(*files: str | Path, keyword: str = "", timeout: float = 600.0) -> None:
    """Runs the tests below `files` on JAX and fails with their output if one of them fails.

    Keras fixes its backend when it is imported, so the tests that ran here on TensorFlow can meet JAX
    only in another process. JAX takes seconds to start: give a whole folder of tests to one call
    rather than each module to its own.

    Args:
        files: Test modules, or folders of them. Usually `__file__` or `Path(__file__).parent`.
        keyword: What pytest's `-k` takes, such as `"value"`. Empty, every test runs.
        timeout: Seconds before the rerun is given up.

    Example:

    ```python
    def test_losses_on_jax():
        rerun_on_jax(Path(__file__).parent, keyword="value")
    ```
    """
    if os.environ.get(GUARD):
        pytest.skip("This process is the rerun on JAX.")
    if importlib.util.find_spec("jax") is None:
        pytest.skip('JAX is not installed: pip install "keras-quartet[jax]"')
    command = [sys.executable, "-m", "pytest", *map(str, files), "-q", "-p", "no:cacheprovider"]
    if keyword:
        command += ["-k", keyword]
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        GUARD: "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # The tests compile much and compute little.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
    }
    root = Path(__file__).resolve().parents[1]
    result = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
    if result.returncode == NO_TESTS_COLLECTED:
        pytest.fail(f"No test in {files} has a name that matches the keyword. Received: keyword={keyword!r}")
    if result.returncode:
        pytest.fail(f"On JAX (exit code {result.returncode}):\n{result.stdout}{result.stderr}", pytrace=False)

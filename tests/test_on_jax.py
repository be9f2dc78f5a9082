"""The value tests of what works on every backend, run once more on JAX.

Keras fixes its backend when it is imported, so what ran on TensorFlow can meet JAX only in another process:
a single one for all, because JAX takes seconds to start and remembers what it has compiled.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ON_EVERY_BACKEND = [
    "tests/core/callbacks",
    "tests/core/layers",
    "tests/core/losses",
    "tests/core/metrics",
    "tests/core/optimizers",
    "tests/core/task/test_explanation.py",
    "tests/apps/recommendation/factors/test_layers.py",
    "tests/apps/vision/test_classification.py",
    "tests/core/pictures/test_nets.py",
]
VALUE_TESTS = "value_is or gradient_is or (value and not losses) or (vector and resnet and shape0)"


def test_values_are_the_same_on_jax():
    if importlib.util.find_spec("jax") is None:
        pytest.skip('JAX is not installed: pip install "keras-quartet[jax]"')
    # Verbose, so that the files are named.
    command = [sys.executable, "-m", "pytest", *ON_EVERY_BACKEND, "-k", VALUE_TESTS, "-v"]
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # The tests compile much and compute little.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
        "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
    }
    result = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if result.returncode:
        pytest.fail(f"On JAX (exit code {result.returncode}):\n{result.stdout}{result.stderr}", pytrace=False)
    assert [path for path in ON_EVERY_BACKEND if path not in result.stdout] == []

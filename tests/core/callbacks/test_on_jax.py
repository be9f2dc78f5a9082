from __future__ import annotations

from pathlib import Path

from tests.on_jax import rerun_on_jax


def test_callbacks_on_jax():
    rerun_on_jax(Path(__file__).parent, keyword="value")

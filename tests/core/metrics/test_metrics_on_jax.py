from __future__ import annotations

from pathlib import Path

from tests.on_jax import rerun_on_jax


def test_metrics_give_the_same_values_on_jax():
    rerun_on_jax(Path(__file__).parent, "value and not 7 and not overlap and not pycocotools")

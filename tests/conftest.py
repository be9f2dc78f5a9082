from __future__ import annotations

import gc
from pathlib import Path

import pytest

LONG = ["test_every_task.py", "test_on_jax.py", "test_export.py", "test_sentiment.py", "test_trial.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process is left with one of them at the end."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(Path(item.path).name, len(LONG)))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what the imports made: it would go through all of it, again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)

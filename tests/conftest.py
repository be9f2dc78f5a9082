from __future__ import annotations

from pathlib import Path

import pytest

LONG = ["test_every_task.py", "test_on_jax.py", "test_export.py", "test_sentiment.py", "test_trial.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process is left with one of them at the end."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(Path(item.path).name, len(LONG)))

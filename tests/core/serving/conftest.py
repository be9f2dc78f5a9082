from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_collections(monkeypatch):
    """Spare each test the collections of all that TensorFlow holds, of which every loaded run asks one."""
    monkeypatch.setattr("core.serving.served._settle_memory", lambda: None)

from __future__ import annotations

from core.commands.doctor import findings, paths


def test_the_doctor_tells_versions_devices_and_every_path():
    found = findings()
    assert found["backend"] == "tensorflow"
    assert "CPU" in found["devices"].upper()
    assert set(paths("tensorflow", accelerated=False)) <= set(found)


def test_what_needs_an_accelerator_applies_where_there_is_one():
    told = paths("tensorflow", accelerated=True)
    assert told["memory growth"] == told["prefetch to the device"] == "on"
    assert "does not apply" in paths("tensorflow", accelerated=False)["prefetch to the device"]


def test_a_missing_package_is_told_with_what_installs_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert findings()["fastapi"] == "missing: pip install 'keras-quartet[serve]'"

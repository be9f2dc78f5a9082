from __future__ import annotations

from core.commands.doctor import findings, paths


def test_the_doctor_tells_versions_devices_and_every_path():
    lines = findings()
    assert lines["backend"] == "tensorflow"
    assert "CPU" in lines["devices"].upper()
    assert set(paths("tensorflow", accelerated=False)) <= set(lines)


def test_what_needs_an_accelerator_applies_where_there_is_one():
    path_states = paths("tensorflow", accelerated=True)
    assert path_states["memory growth"] == path_states["prefetch to the device"] == "on"
    assert "does not apply" in paths("tensorflow", accelerated=False)["prefetch to the device"]


def test_a_missing_package_is_reported_with_what_installs_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert findings()["fastapi"] == "missing: pip install 'keras-quartet[serve]'"

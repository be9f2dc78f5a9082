"""One oracle for several processes, over loopback."""

from __future__ import annotations

import socket
import time

import pytest

from core.errors import UserError
from core.search import journalled_oracle
from core.search.chief import ChiefClient, address_of, serve
from tests.core.search.searches import new_oracle, search
from tests.core.search.test_workers import wait_for
from tests.core.search.working import begun, work_for_chief


@pytest.fixture
def address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_workers_share_one_search_and_the_trial_of_one_that_dies_is_run_by_another(
    tmp_path, address, monkeypatch
):
    monkeypatch.setattr(journalled_oracle, "LOST_AFTER", 1.5)
    oracle = new_oracle(tmp_path / "chief", search(stop_poor=False), trials=6)
    server = serve(oracle, address)
    dying = begun(work_for_chief, address, tmp_path / "dying", 60)
    wait_for(tmp_path / "dying" / "trials" / "0000" / "started")
    staff = [begun(work_for_chief, address, tmp_path / name, 0.02) for name in ("left", "right")]
    dying.kill()
    end = time.monotonic() + 90
    while not oracle.finished():
        assert time.monotonic() < end, oracle.records
        oracle.give_back_lost()
        time.sleep(0.1)
    for each in staff:
        each.join(timeout=30)
    assert [each.exitcode for each in staff] == [0, 0]
    server.stop(grace=None)
    assert [record.status for record in oracle.records.values()] == ["finished"] * 6
    run = [
        path.parent.name for name in ("left", "right") for path in tmp_path.glob(f"{name}/trials/*/started")
    ]
    assert sorted(run) == sorted(oracle.records)


def test_a_worker_of_another_search_is_refused(tmp_path, address):
    server = serve(new_oracle(tmp_path, search()), address)
    try:
        with pytest.raises(UserError, match="searches something else"):
            ChiefClient(address, search(seed=1))
    finally:
        server.stop(grace=None)


def test_a_chief_that_is_not_there_is_reported(monkeypatch, address):
    monkeypatch.setattr("core.search.chief.CHIEF_PATIENCE", 0.5)
    with pytest.raises(UserError, match="does not answer"):
        ChiefClient(address, search())


def test_a_port_that_is_taken_is_reported(tmp_path, address):
    with socket.socket() as other:
        host, port = address_of(address)
        other.bind((host, port))
        other.listen()
        with pytest.raises(UserError, match="can't listen there"):
            serve(new_oracle(tmp_path), address)


@pytest.mark.parametrize("text", ["localhost", "host:", "host:port", ":8500", "host:99999"])
def test_an_address_is_host_and_port(text):
    with pytest.raises(UserError, match="HOST:PORT"):
        address_of(text)

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from core.search.definition import Search
from core.search.workers import Worker, delete_checkpoints, worker_environments
from tests.core.search.searches import PRETEND, new_oracle, search
from tests.core.search.working import begun, work_alone


def worked(folder: Path, wanted: Search, trials: int, **environment: str):
    """Let one worker run a search of pretended trials to its end."""
    oracle = new_oracle(folder, wanted, trials)
    Worker("one", oracle, wanted, folder, environment, PRETEND).work()
    return oracle


def test_each_trial_runs_in_a_process_of_its_own(tmp_path):
    worked(tmp_path, search(stop_poor=False), 4)
    processes = [path.read_text().split() for path in sorted(tmp_path.glob("trials/*/started"))]
    assert [len(each) for each in processes] == [1, 1, 1, 1]
    assert len({each[0] for each in processes}) == 4


def test_a_worker_reports_every_epoch_and_the_end(tmp_path):
    oracle = worked(tmp_path, search(), 1)
    assert sorted(oracle.records["0000"].history) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert oracle.records["0000"].status == "finished"


def test_a_trial_whose_process_is_killed_fails_alone(tmp_path):
    deadly = {"fit.average_weights": {"values": [0.9, 0.1]}}
    wanted = search(deadly, "fit.average_weights=0.9", strategy="grid")
    oracle = worked(tmp_path, wanted, 2)
    assert [record.status for record in oracle.records.values()] == ["finished", "failed"]
    assert "signal 9, as it does for lack of memory" in oracle.records["0001"].reason


def test_values_that_do_not_go_together_fail_before_a_process_starts(tmp_path, monkeypatch):
    from core.errors import UserError
    from core.experiment import Experiment

    wanted = search()
    oracle = new_oracle(tmp_path, wanted, 1)

    def refuse(self: Experiment, values: object) -> None:
        raise UserError("these do not go together")

    monkeypatch.setattr(Experiment, "with_values", refuse)
    Worker("one", oracle, wanted, tmp_path, command=PRETEND).work()
    assert oracle.records["0000"].reason == "these do not go together"
    assert not (tmp_path / "trials" / "0000").exists()


def test_a_worker_that_leaves_ends_its_process_and_tells_nothing(tmp_path):
    wanted = search()
    oracle = new_oracle(tmp_path, wanted)
    worker = Worker("one", oracle, wanted, tmp_path, {"PRETEND_SECONDS": "60"}, PRETEND)
    thread = threading.Thread(target=worker.work)
    thread.start()
    wait_for(tmp_path / "trials" / "0000" / "started")
    worker.leave()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert oracle.records["0000"].status == "running"


def test_a_trial_dies_with_the_search_that_ordered_it(tmp_path):
    parent = begun(work_alone, tmp_path, 60)
    started = tmp_path / "trials" / "0000" / "started"
    wait_for(started)
    parent.kill()
    parent.join()
    child = int(started.read_text())
    for _ in range(100):
        if not alive(child):
            return
        time.sleep(0.1)
    pytest.fail("the trial outlived its search")


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def test_gpus_are_handed_out_one_a_worker(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    assert [each["CUDA_VISIBLE_DEVICES"] for each in worker_environments(3)] == ["4", "7", "4"]


def test_a_chief_may_leave_all_trials_to_others():
    assert worker_environments(0) == []


def test_the_weights_of_beaten_trials_are_deleted_and_finished_runs_kept(tmp_path):
    for name in ("0000", "0001", "0002"):
        (tmp_path / "trials" / name / "checkpoints").mkdir(parents=True)
        (tmp_path / "trials" / name / "checkpoints" / "checkpoint.npz").touch()
    (tmp_path / "trials" / "0002" / "metrics.json").touch()
    delete_checkpoints(tmp_path, keep={"0001"})
    assert sorted(path.parts[-3] for path in tmp_path.rglob("checkpoint.npz")) == ["0001", "0002"]

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UserError
from core.experiment import experiment_from
from core.run_lock import locked
from core.training.train import train

HOLD = """
import sys, time
from pathlib import Path
from core.run_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds a run folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "run"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_folder_is_held_by_one_training_at_a_time(tmp_path, holder):
    refused = f"Another training is under way in .*run: .*held by process {holder.pid}"
    with pytest.raises(UserError, match=refused) as caught, locked(tmp_path / "run"):
        pass
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_training_is_refused_before_it_touches_anything(tmp_path, holder, resume):
    (tmp_path / "run" / f".checkpoint.{holder.pid}.npz").write_text("being written")
    before = sorted(path.name for path in (tmp_path / "run").iterdir())
    experiment = experiment_from({"task": {"type": "tests.core.hard_tasks.Regression"}})
    with pytest.raises(UserError, match="Another training is under way"):
        train(experiment, tmp_path / "run", resume=resume)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == before


def test_a_dead_process_holds_nothing(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with locked(tmp_path / "run"):
        assert (tmp_path / "run" / ".lock").read_text() == str(os.getpid())


def test_the_lock_leaves_nothing_behind(tmp_path):
    with locked(tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("")
    with locked(tmp_path / "kept"):
        pass
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["file"]


def test_a_folder_that_can_t_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be written"), locked(Path(tmp_path / "file" / "run")):
        pass

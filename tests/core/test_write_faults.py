"""A disk that fills or refuses at each write of a training and a report: nothing is left half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.run import Run
from tests.core.test_cli import REGRESSION, quartet

FAULTS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "broken": errno.EIO}


@pytest.fixture(scope="module")
def configuration(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("configurations") / "regression.yaml"
    path.write_text(REGRESSION.replace("epochs: 2", "epochs: 1"))
    return path


@contextmanager
def fault_at(place: int, code: int) -> Iterator[list[str]]:
    """Let a flush or a rename fail, the one at this place among all; give what they were called with."""
    names: list[str] = []

    def counted(call):
        def write(*arguments, **options):
            names.append(str(arguments[-1]))
            if len(names) == place + 1:
                raise OSError(code, os.strerror(code), names[-1])
            return call(*arguments, **options)

        return write

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(os, "replace", counted(os.replace))
        yield names


def check_whole(folder: Path) -> None:
    """Make sure that each file that stands in a folder can be read, and that nothing else was left."""
    for path in folder.rglob("*") if folder.exists() else ():
        assert not path.name.startswith("."), path
        if path.suffix == ".json":
            json.loads(path.read_text())
    if folder.exists() and (folder / "experiment.yaml").exists():
        assert Run(folder).experiment


def num_writes(command) -> int:
    with fault_at(-1, 0) as names:
        done = command()
    assert done.exit_code == 0, done.output
    return len(names)


def test_wherever_a_disk_fails_a_training_is_reported_in_a_line_and_can_be_done_again(
    configuration, tmp_path
):
    folder = tmp_path / "run"
    count = num_writes(lambda: quartet("train", configuration, "--run", folder))
    assert count >= 20  # flush, rename and flush of each of seven files
    for place in range(0, count, 2):  # by turns a flush, a rename, the flush of a folder; each takes a second
        shutil.rmtree(folder)
        code = list(FAULTS.values())[place % len(FAULTS)]
        with fault_at(place, code):
            done = quartet("train", configuration, "--run", folder)
        assert done.exit_code == 2, (place, done.output)
        assert os.strerror(code) in done.stderr, place
        assert done.stderr.strip().splitlines()[-1].startswith("quartet: "), done.stderr
        check_whole(folder)
        again = quartet("train", configuration, "--run", folder, "--resume")
        assert again.exit_code == 0, (place, again.output)
        assert Run(folder).finished


def test_wherever_a_disk_fails_the_report_before_stays_whole(configuration, tmp_path):
    folder = tmp_path / "run"
    assert quartet("train", configuration, "--run", folder).exit_code == 0
    count = num_writes(lambda: quartet("report", folder))
    page = (folder / "report.html").read_bytes()
    for place in range(count):
        with fault_at(place, errno.ENOSPC):
            done = quartet("report", folder)
        assert done.exit_code == 2, (place, done.output)
        assert "No space left on device" in done.stderr.splitlines()[-1]
        check_whole(folder)
        assert (folder / "report.html").read_bytes()[:100] == page[:100]

"""Breaks a training and an export at each of their writes, and looks for what is left half-written.

    python -m benchmarks.write_faults [--every 1] [train export]

At each flush and rename of a file in turn the disk is full, is read-only, or the process is killed. What
stands under its own name afterwards must be whole, the message one line, and the same command, given again,
must end well.
Each takes the time of a command: some minutes in all, fewer with `--every 5`.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.run import Run
from tests import small_data

FAULTS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "killed": 0}
TRAIN = ("fit.epochs=2", "fit.steps_per_execution=1", "fit.checkpoint_seconds=0", "audit.leaks=allow")
EXPORT = ("--format", "onnx")


def break_at(place: int, fault: str, count: Path) -> None:
    """Let the write at this place fail, of all that this process does; keep how many there were."""
    done = 0

    def counted(call: Any) -> Any:
        def write(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            done += 1
            if done == place + 1:
                if fault == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(FAULTS[fault], os.strerror(FAULTS[fault]), str(arguments[-1]))
            count.write_text(str(done))
            return call(*arguments, **options)

        return write

    os.fsync, os.replace = counted(os.fsync), counted(os.replace)


def quartet(arguments: Sequence[object], count: Path, place: int = -1, fault: str = "full") -> Any:
    """Run a command of which one write fails."""
    code = (
        "import sys, core.cli; from pathlib import Path; from benchmarks.write_faults import break_at; "
        "break_at(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])); del sys.argv[1:4]; core.cli.main()"
    )
    given = [str(place), fault, str(count), *map(str, arguments)]
    return subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, timeout=600)


def half_written(folder: Path) -> list[str]:
    """Return the files under their own names that can't be read; what a kill left has a name with a dot."""
    wrong = []
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        try:
            if path.suffix == ".json" and not hidden:
                json.loads(path.read_text())
            if path.suffix == ".jsonl" and not hidden:
                [json.loads(line) for line in path.read_text().splitlines()]
        except ValueError:
            wrong.append(str(path.relative_to(folder)))
    if (folder / "experiment.yaml").is_file():
        run = Run(folder)
        _ = run.experiment
        if run.finished:
            _ = run.model, run.encoder, run.metrics
    export = folder / "exports" / "onnx"
    if export.exists():
        command = [sys.executable, "predict.py", "a lovely film"]
        if subprocess.run(command, cwd=export, capture_output=True).returncode:
            wrong.append("exports/onnx")
    return wrong


def tried(name: str, command: Sequence[object], again: Sequence[object], folder: Path, every: int) -> int:
    """Break a command at each of its writes; return how many of these ended badly."""
    before, count = folder.with_name(f"{folder.name}-before"), folder.with_name("count")
    if folder.exists():
        shutil.copytree(folder, before)
    done = quartet(command, count)
    assert done.returncode == 0, done.stderr
    writes, bad = int(count.read_text()), 0
    for fault in FAULTS:
        for place in range(0, writes, every):
            shutil.rmtree(folder, ignore_errors=True)
            if before.exists():
                shutil.copytree(before, folder)
            done = quartet(command, count, place, fault)
            lines = [line for line in done.stderr.splitlines() if line.startswith("quartet: ")]
            wrong = half_written(folder)
            if fault != "killed" and "Traceback" in done.stderr:
                wrong.append("a traceback")
            if done.returncode not in ((-signal.SIGKILL, 0) if fault == "killed" else (2, 0)):
                wrong.append(f"exit code {done.returncode}")
            repeated = quartet(again, count)
            print(".", end="", flush=True)
            if repeated.returncode:
                wrong.append(f"not done again: {repeated.stderr.splitlines()[-1:]}")
            if wrong:
                bad += 1
                print(f"{name}, write {place} {fault}: {wrong} {lines}", flush=True)
    print(f"{name}: {writes} writes, {bad} ended badly", flush=True)
    return bad


def main() -> int:
    """Break what was asked for; return how many ended badly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("commands", nargs="*", choices=["train", "export", []])
    parser.add_argument("--every", type=int, default=1, help="break each so-manieth write")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, run = small_data.reviews(folder), folder / "run"
        train = ("train", "nlp/sentiment", f"data={data}", *TRAIN, "--run", run)
        bad = 0
        if "train" in (given.commands or ["train"]):
            bad += tried("train", train, (*train, "--resume"), run, given.every)
        shutil.rmtree(run, ignore_errors=True)
        shutil.rmtree(folder / "run-before", ignore_errors=True)
        if "export" in (given.commands or ["export"]):
            assert quartet(train, folder / "count").returncode == 0
            export = ("export", run, *EXPORT)
            bad += tried("export", export, export, run, given.every)
    return min(bad, 100)


if __name__ == "__main__":
    sys.exit(main())

"""Workers: each asks for a trial, runs it in a process of its own, and tells how it went."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.processes import import_environment, python_module
from core.search.definition import Search
from core.search.journalled_oracle import ended
from core.search.space import chosen_values
from core.search.trial import Order

HEARTBEAT = 5.0  # seconds between two signs of life
PATIENCE = 0.2  # seconds before asking again
TRIAL = tuple(python_module("core.search.trial"))


class Worker:
    """One who runs trials, one after another.

    Args:
        name: By which the oracle knows it.
        oracle: An oracle of this process, or one that speaks to the chief.
        search: What is searched.
        folder: Of the search; trials go under `trials/`.
        environment: Variables that its trials get besides this process' own.
        command: What runs a trial.
    """

    def __init__(
        self,
        name: str,
        oracle: Any,
        search: Search,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = TRIAL,
    ) -> None:
        self.name, self.oracle, self.search, self.folder = name, oracle, search, folder
        self.environment = {**import_environment(), **(environment or {})}
        self.command = command
        self.num_run = 0
        self.process: subprocess.Popen[str] | None = None
        self._leaving = threading.Event()

    def leave(self) -> None:
        """End the running trial at once, without a word to the oracle: it can be resumed."""
        self._leaving.set()
        process = self.process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def work(self) -> None:
        """Run trials until there are none left."""
        while not self._leaving.is_set():
            trial = self.oracle.create_trial(self.name)
            if trial.status == "STOPPED":
                return
            if trial.status == "RUNNING":
                self._run(trial)
            else:
                time.sleep(PATIENCE)

    def _run(self, trial: Any) -> None:
        folder = self.folder / "trials" / trial.trial_id
        self.num_run += 1
        try:
            order = self._order(trial, folder)
        except UserError as error:
            self.oracle.end_trial(ended(trial, "FAILED", str(error)))
            return
        folder.mkdir(parents=True, exist_ok=True)
        # A trial that is killed can't delete its temporary files.
        with tempfile.TemporaryDirectory(prefix="trial-", ignore_cleanup_errors=True) as temporary:
            outcome = self._ran(trial, order, folder, temporary)
        if not self._leaving.is_set():
            self.oracle.end_trial(ended(trial, *outcome))

    def _ran(self, trial: Any, order: Order, folder: Path, temporary: str) -> tuple[str, str | None]:
        """Run a trial to its end; return its status and reason."""
        with (folder / "trial.log").open("a") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**self.environment, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)},
                start_new_session=True,  # Ctrl-C is for the search, which ends its trials itself
            )
        if self._leaving.is_set():
            self.process.kill()
        done = threading.Event()
        threading.Thread(target=self._live, args=(trial.trial_id, done), daemon=True).start()
        try:
            return self._converse(trial, self.process, order)
        finally:
            done.set()
            self.process.kill()
            self.process.wait()

    def _order(self, trial: Any, folder: Path) -> Order:
        values = trial.hyperparameters.values
        experiment = self.search.experiment.with_values(chosen_values(self.search, values))
        earlier = values.get("tuner/trial_id")
        if earlier and not folder.exists() and (self.folder / "trials" / earlier).is_dir():
            shutil.copytree(self.folder / "trials" / earlier, folder)
        return Order(
            folder=str(folder),
            cache=str(self.folder / "cache"),
            experiment=experiment.to_yaml(),
            objectives=[goal.name for goal in self.search.objectives],
            best=[goal.direction for goal in self.search.objectives],
            folds=self.search.folds,
            stop_after=values.get("tuner/epochs"),
        )

    def _live(self, trial_id: str, done: threading.Event) -> None:
        while not done.wait(HEARTBEAT):
            self.oracle.get_trial(trial_id)

    def _converse(self, trial: Any, process: subprocess.Popen[str], order: Order) -> tuple[str, str | None]:
        """Listen to a trial and answer it; return its status and reason at the end."""
        assert process.stdin is not None
        assert process.stdout is not None
        told_to_stop = False
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(asdict(order)), file=process.stdin, flush=True)
            for line in process.stdout:
                known = json.loads(line)
                if "failed" in known:
                    return "FAILED", None if told_to_stop else known["failed"]
                if "ended" in known:
                    step = int(known["ended"].pop("epochs"))
                    self.oracle.update_trial(trial.trial_id, known["ended"], step=step)
                    return "COMPLETED", None if told_to_stop else ""
                answer = self.oracle.update_trial(trial.trial_id, known["figures"], step=known["step"])
                told_to_stop = answer.status != "RUNNING"
                print("stop" if told_to_stop else "go", file=process.stdin, flush=True)
        return (
            "FAILED",
            f"its process ended with {_code(process.wait())}; {order.folder}/trial.log holds more",
        )


def _code(code: int) -> str:
    if code >= 0:
        return f"code {code}"
    return f"signal {-code}" + (", as it does for lack of memory" if code == -9 else "")


def worker_environments(count: int) -> list[dict[str, str]]:
    """Return the variables of each local worker: its share of the processors, and a GPU if there is one."""
    threads = str(max(1, (os.cpu_count() or 1) // max(count, 1)))
    shared = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if count > 1:
        shared |= {"TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads}
    gpus = _gpus()
    return [
        {**shared, **({"CUDA_VISIBLE_DEVICES": gpus[place % len(gpus)]} if gpus else {})}
        for place in range(count)
    ]


def _gpus() -> list[str]:
    """Return the names of the GPUs that this process may use, without taking hold of them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return listed.stdout.split()


def delete_checkpoints(folder: Path, keep: set[str]) -> None:
    """Delete the weights of the trials under a search's folder, but for those to keep."""
    for trial in (folder / "trials").glob("*"):
        if trial.name not in keep and not (trial / "metrics.json").exists():
            for weights in (*trial.rglob("checkpoint.npz"), *trial.rglob("model.keras")):
                weights.unlink(missing_ok=True)

"""From an experiment with a search space to the best configuration that a budget finds."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from core.errors import UserError
from core.search.definition import Budget, Search, TrialRecord, open_folder
from core.writing import within

if TYPE_CHECKING:
    from core.search.journalled_oracle import JournalledOracle

Watch = Callable[[list[TrialRecord], float], None]
LOOK_EVERY = 0.2  # seconds
FAREWELL = 5.0  # seconds


def tune(
    search: Search,
    folder: Path | str,
    budget: Budget | None = None,
    *,
    workers: int = 1,
    chief: str | None = None,
    watch: Watch | None = None,
    command: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Search, or go on with a search that was cut off, and judge the best beside the configuration itself.

    Each trial runs in a process of its own. The folder then holds `trials.csv`, `best.yaml`, `outcome.json`
    and pictures, and under `trials/` the runs, of which the best is finished as by `train`.

    Args:
        search: What is searched, how, and by what.
        folder: Of the search. Where it holds this very search, its trials are kept and the search goes on. If
            all of them failed, it begins anew, and they are moved to `failed-1` or the next number.
        budget: When to stop; by default after 20 trials.
        workers: Trials at a time on this machine; 0 with `chief` leaves them all to others.
        chief: HOST:PORT to listen on for workers of other machines; none to work alone.
        watch: Called a few times a second with all trials and the seconds so far.
        command: What runs a trial, in place of `python -m core.search.trial`.

    Returns:
        What `outcome.json` holds.

    Raises:
        UserError: The folder holds another search, the space does not fit, or no trial succeeded.
        KeyboardInterrupt: It was interrupted; what was found so far is in the folder.

    Example:

    >>> from core.experiment import load_experiment
    >>> search = Search(load_experiment("recommendation/ratings"))
    >>> outcome = tune(search, "runs/ratings-search", Budget(trials=15))  # doctest: +SKIP
    """
    from core.search.chief import serve
    from core.search.failures import set_failures_aside
    from core.search.journal import Journal
    from core.search.outcome import write_findings, write_outcome
    from core.search.space import search_space
    from core.search.strategies import oracle_of
    from core.search.trial import require_reported
    from core.search.workers import TRIAL, Worker, delete_checkpoints, worker_environments

    folder = Path(folder)
    search_space(search)  # refuses a space that does not fit before anything is written
    with only_one(folder):
        set_failures_aside(folder)
        require_reported(search.experiment, [goal.name for goal in search.objectives], folder / "cache")
        open_folder(folder, search)
        oracle = oracle_of(search, budget or Budget(), Journal(folder / "journal.jsonl"))
        staff = [
            Worker(f"local-{place}", oracle, search, folder, environment, command or TRIAL)
            for place, environment in enumerate(worker_environments(workers))
        ]
        server = serve(oracle, chief) if chief else None
        try:
            _work(oracle, staff, folder, watch or (lambda records, elapsed: None))
        except KeyboardInterrupt:
            write_findings(folder, search, oracle)
            raise
        finally:
            if server:
                _dismiss(oracle)
                server.stop(grace=1)
        write_findings(folder, search, oracle)
        outcome = write_outcome(folder, search, oracle)
        if search.strategy != "hyperband":  # whose trials can still be trained on
            delete_checkpoints(folder, keep=set())
        return outcome


def _work(oracle: JournalledOracle, staff: list[Any], folder: Path, watch: Watch) -> None:
    """Let the staff work until no trial is left, here or elsewhere."""
    from core.search.workers import delete_checkpoints

    failures: list[BaseException] = []
    threads = [threading.Thread(target=_guarded, args=(worker, failures), daemon=True) for worker in staff]
    for thread in threads:
        thread.start()
    try:
        num_ended = 0
        while not failures and (any(thread.is_alive() for thread in threads) or not oracle.finished()):
            watch(list(oracle.records.values()), oracle.elapsed())
            oracle.give_back_lost()
            if len(oracle.end_order) > num_ended:
                num_ended = len(oracle.end_order)
                delete_checkpoints(folder, keep=oracle.kept())
            time.sleep(LOOK_EVERY)
    finally:
        for worker in staff:
            worker.leave()
        for thread in threads:
            thread.join()
    watch(list(oracle.records.values()), oracle.elapsed())
    if failures:
        raise failures[0]


def _dismiss(oracle: JournalledOracle) -> None:
    """Wait a little until every worker elsewhere has heard that there is no more to do."""
    end = time.monotonic() + FAREWELL
    while oracle.tuner_ids and time.monotonic() < end:
        time.sleep(LOOK_EVERY)


def _guarded(worker: Any, failures: list[BaseException]) -> None:
    try:
        worker.work()
    except BaseException as error:  # told to the main thread, which raises it
        failures.append(error)


def join(search: Search, folder: Path | str, chief: str) -> int:
    """Run trials for the chief of another machine until it has no more.

    Args:
        search: The very search of the chief.
        folder: Where this machine's trials go.
        chief: HOST:PORT.

    Returns:
        How many trials were run.

    Raises:
        UserError: The chief does not answer, or searches something else.
    """
    from core.search.chief import ChiefClient
    from core.search.workers import Worker, worker_environments

    client = ChiefClient(chief, search)
    worker = Worker(client.name, client, search, Path(folder), worker_environments(1)[0])
    try:
        worker.work()
    finally:
        worker.leave()
    return worker.num_run


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made, so that no second search writes into it.

    Raises:
        UserError: Another process holds it, it can't be written, or a link in it leads out of it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.rglob("*"):
            if path.is_symlink():
                within(folder, path)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise UserError(f"The folder {folder} can't be written: {error.strerror or error}.") from None
    with file:
        _lock(file, folder)
        yield


def _lock(file: TextIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UserError(
            f"Another search is at work in {folder}. Wait for it, or give another --folder."
        ) from None
    file.write(str(os.getpid()))
    file.flush()

"""What other processes do in a search, and how they start."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from core.search import workers
from core.search.chief import ChiefClient
from core.search.definition import Budget, Search
from core.search.tuning import tune
from tests.core.search.searches import PRETEND, new_oracle, search


def begun(does: Callable, *arguments: object) -> BaseProcess:
    """Start a process that does this; the first one imports, and all later ones take that over."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=does, args=arguments)
    process.start()
    return process


def work_for_chief(address: str, folder: Path, seconds: float) -> None:
    """Run pretended trials, with epochs of so many seconds, until the chief has none left."""
    workers.HEARTBEAT = 0.2
    wanted = search(stop_poor=False)
    client = ChiefClient(address, wanted)
    workers.Worker(client.name, client, wanted, folder, pretend(seconds), PRETEND).work()


def work_alone(folder: Path, seconds: float) -> None:
    """Run pretended trials, with epochs of so many seconds, of an oracle of this process."""
    wanted = search()
    workers.Worker("one", new_oracle(folder, wanted), wanted, folder, pretend(seconds), PRETEND).work()


def search_all(wanted: Search, folder: Path, seconds: float) -> None:
    """Search with five pretended trials, with epochs of so many seconds."""
    os.environ |= pretend(seconds)
    tune(wanted, folder, Budget(trials=5), command=PRETEND)


def pretend(seconds: float) -> dict[str, str]:
    """Return what pretended trials read the length of their epochs from."""
    return {"PRETEND_SECONDS": str(seconds)}

"""Loads a server while things go wrong, and counts every request that is lost or answered wrongly.

    python -m benchmarks.serving_faults RUN [--requests 10000] [--memory 50000]

Mixed requests of which 5% are malformed, clients that hang up, a newer run that takes over; a queue that
overflows; a signal to stop; and the resident memory over many requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.load_generator import Case, Connection, Service, cases_of, request_of, served
from core.run import Run

CLIENTS = 64
MALFORMED = [
    b"",
    b"{",
    b"[1, 2]",
    b'{"inputs": []}',
    b'{"inputs": [{}]}',
    b'{"inputs": ["\\ud800"]}',
    b'{"inputs": ["\xff\xfe"]}',
    b'{"input": "one"}',
    b'{"inputs": [null, null]}',
    b'{"inputs": ' + b"[" * 5000,
]


def outcome(case: Case | None, status: int, body: bytes) -> str:
    """Return what became of a request; of a malformed one there is no case."""
    if status == 503:
        return "told to come back"
    if case is None:
        refused = 400 <= status < 500 and json.loads(body)["error"]
        return "refused" if refused else f"WRONG {status}"
    return "right" if status == 200 and case.is_answered_by(body) else f"WRONG {status}"


async def mixed(service: Service, name: str, cases: list[Case], count: int) -> Counter[str]:
    """Send requests of which 5% are malformed, while 1% of the clients hang up before they are answered."""
    chance, outcomes, left = random.Random(0), Counter[str](), count

    async def client() -> None:
        nonlocal left
        connection = Connection(service.port)
        while left > 0:
            left -= 1
            if chance.random() < 0.01:
                await hang_up(service, chance.choice(cases).request(name))
                outcomes["hung up"] += 1
            malformed = chance.random() < 0.05
            case = None if malformed else chance.choice(cases)
            request = request_of(name, chance.choice(MALFORMED)) if case is None else case.request(name)
            try:
                outcomes[outcome(case, *await connection.ask(request))] += 1
            except ConnectionResetError:
                outcomes["LOST"] += 1
        connection.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return outcomes


async def hang_up(service: Service, request: bytes) -> None:
    """Send a request, or a part of it, and go."""
    _, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(request[: random.Random(len(request)).randint(1, len(request))])
    await writer.drain()
    writer.close()


async def with_reload(
    service: Service, folder: Path, name: str, cases: list[Case], count: int
) -> Counter[str]:
    """Send mixed requests, and let a newer run take over in their midst."""
    load = asyncio.create_task(mixed(service, name, cases, count))
    await asyncio.sleep(2)
    metrics = folder / "metrics.json"
    os.replace(shutil.copy(metrics, folder / ".metrics.json"), metrics)
    return await load


async def until_stopped(service: Service, name: str, cases: list[Case]) -> Counter[str]:
    """Ask until the server does not listen any more; a signal stops it after two seconds."""
    outcomes = Counter[str]()

    async def client(number: int) -> None:
        connection, turn = Connection(service.port), number
        while True:
            case = cases[turn % len(cases)]
            try:
                outcomes[outcome(case, *await connection.ask(case.request(name)))] += 1
            except ConnectionRefusedError:
                outcomes["not accepted"] += 1
                return
            except ConnectionResetError:
                outcomes["LOST"] += 1
            turn += CLIENTS

    clients = asyncio.gather(*(client(number) for number in range(CLIENTS)))
    await asyncio.sleep(2)
    service.process.send_signal(signal.SIGTERM)
    await clients
    return outcomes


async def memory(service: Service, name: str, cases: list[Case], count: int) -> list[float]:
    """Return the resident memory, in MiB, after each tenth of many requests."""
    mebibytes = []
    for _ in range(10):
        await mixed(service, name, cases, count // 10)
        mebibytes.append(service.memory())
    return mebibytes


def main() -> None:
    """Print what became of every request."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--memory", type=int, default=0)
    given = parser.parse_args()
    run = Run(given.run)
    cases, name = cases_of(run), "served"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(run.folder, Path(temporary) / "run"))
        where = [f"{name}={folder}"]
        if given.memory:
            with served(where) as service:
                figures = asyncio.run(memory(service, name, cases, given.memory))
            print(f"memory over {given.memory} requests, MiB:", ", ".join(f"{each:.0f}" for each in figures))
            return
        with served(where, "batching.queue=256", "reload_seconds=0.2", "try_apart=false") as service:
            outcomes = asyncio.run(with_reload(service, folder, name, cases, given.requests))
            reloads = service.measurement(f'quartet_reloads_total{{run="{name}"}}')
            print(f"mixed, with {reloads:.0f} newer run:", dict(outcomes), flush=True)
        with served(where, "batching.queue=8", "limits.items=8", "batching.size=4") as service:
            outcomes = asyncio.run(mixed(service, name, cases, given.requests // 5))
            print("a queue of 8:", dict(outcomes), flush=True)
        with served(where) as service:
            print("SIGTERM:", dict(asyncio.run(until_stopped(service, name, cases))), end=" ")
            print("exit code", service.process.wait(60))


if __name__ == "__main__":
    main()

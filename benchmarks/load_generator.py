"""Requests with their right answers, a server in a process of its own, and clients that load it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.inputs import joined
from core.inputs.limits import Limits
from core.processes import import_environment, python_module
from core.run import Run

TOLERANCE = 2e-4  # of a number in an answer, between batches of different sizes


@dataclass(frozen=True)
class Case:
    """An input as a request holds it, and the answer that it should get.

    Args:
        value: In JSON.
        raw: As the task takes it.
        answer: Of the task, called with this input alone.
    """

    value: Any
    raw: Any
    answer: dict[str, Any]

    def request(self, name: str) -> bytes:
        """Return the bytes of a request."""
        return request_of(name, json.dumps({"inputs": [self.value]}).encode())

    def is_answered_by(self, body: bytes) -> bool:
        """Whether a body holds the right answer."""
        [answer] = json.loads(body)["predictions"]
        return same(answer, self.answer)


def same(one: Any, other: Any) -> bool:
    """Whether two answers are alike but for the rounding of batches of different sizes."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return abs(one - other) <= TOLERANCE if isinstance(one, float) else one == other


def request_of(name: str, body: bytes, path: str = "predict") -> bytes:
    """Return the bytes of a POST request with a JSON body."""
    head = f"POST /v1/{name}/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def cases_of(run: Run, count: int = 128) -> list[Case]:
    """Return inputs from the test part of a run, with the answers of its task."""
    task = run.experiment.task
    examples = task.load().test
    rows = examples.take(np.random.default_rng(0).permutation(len(examples))[:count])
    _, kind = joined(task.inputs(run.encoder))
    values: list[Any]
    if kind.kind == "text":
        values = rows["text"].tolist()
    elif kind.kind == "ratings":
        values = [{"user": user, "item": item} for user, item in zip(rows["user"], rows["item"], strict=True)]
    else:
        files = map(_png, rows["image"]) if kind.kind == "picture" else map(_wav, _waves(rows, task))
        values = [base64.b64encode(file).decode() for file in files]
    raw = [kind.raw(base64.b64decode(value), Limits()) if kind.is_file else value for value in values]
    predict = task.predictor(run.model, run.encoder)
    return [Case(value, one, predict([one])[0]) for value, one in zip(values, raw, strict=True)]


def _png(image: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG")
    return file.getvalue()


def _waves(rows: Any, task: Any) -> Iterator[tuple[np.ndarray, int]]:
    waves = rows.ragged("wave")
    return ((waves[row], task.sample_rate) for row in range(len(waves)))


def _wav(sound: tuple[np.ndarray, int]) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, *sound, format="WAV")
    return file.getvalue()


@dataclass
class Service:
    """A server process.

    Args:
        process: Of `quartet serve`.
        port: On loopback.
    """

    process: subprocess.Popen[bytes]
    port: int

    def memory(self) -> float:
        """Return the resident memory in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def processor_seconds(self) -> float:
        """Return the time that all threads of the process have spent on a processor."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measurement(self, name: str) -> float:
        """Return one of the numbers that the server counts."""
        with urllib.request.urlopen(f"http://localhost:{self.port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")), 0.0)


@contextlib.contextmanager
def served(folders: list[str], *settings: str) -> Iterator[Service]:
    """Serve runs in a process of their own, ready when the block begins; without any, an empty server."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = python_module("core.cli", "serve", *folders, "--port", str(port))
    command += [part for setting in settings for part in ("--set", setting)]
    if not folders:
        command = python_module("benchmarks.empty_server", str(port))
    started = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=import_environment())
    service = Service(started, port)
    try:
        while True:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"http://localhost:{port}/readyz")
                break
            if service.process.poll() is not None:
                raise SystemExit(f"The server ended: {command}")
            time.sleep(0.2)
        yield service
    finally:
        service.process.terminate()
        service.process.wait(60)


class Connection:
    """A keep-alive connection that is opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the answer.

        Raises:
            ConnectionRefusedError: The server does not listen: the request was never accepted.
            ConnectionError: The server took the request and gave no whole answer.
        """
        if self.writer is None or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            raise ConnectionResetError from None
        if b"connection: close" in head:
            self.close()
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        """Hang up."""
        if self.writer is not None:
            self.writer.close()
        self.writer = None


async def load(port: int, name: str, cases: list[Case], clients: int, seconds: float) -> list[float]:
    """Return the latencies, in seconds, of clients that each ask again as soon as they are answered."""
    requests = [(case.request(name), case) for case in cases]
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        connection, turn = Connection(port), number
        while (start := time.perf_counter()) < end:
            request, case = requests[turn % len(requests)]
            status, body = await connection.ask(request)
            latencies.append(time.perf_counter() - start)
            if status != 200 or (turn % 7 == 0 and not case.is_answered_by(body)):
                raise SystemExit(f"A wrong answer: {status} {body!r}, and not {case.answer}")
            turn += clients
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return latencies

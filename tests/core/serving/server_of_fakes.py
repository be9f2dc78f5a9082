"""A program that serves fake runs until it is told to stop: its port, its
settings and their folders are its arguments."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from core.inputs.limits import Limits
from core.run import Run
from core.serving.server import serve
from core.serving.settings import server_settings

ROOT = Path(__file__).parents[3]
LIMITS = Limits(head_seconds=1.0, connections=100)
SETTINGS = [
    "drain_seconds=0.3",
    "try_apart=false",
    f"limits.head_seconds={LIMITS.head_seconds}",
    f"limits.connections={LIMITS.connections}",
]


@contextlib.contextmanager
def served(*folders: Path, overrides: Sequence[str] = ()) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Give a process that serves fake runs, ready, and the address of its page.

    Args:
        folders: Of the runs.
        overrides: Of the settings of the server.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, __file__, str(port), " ".join(overrides), *map(str, folders)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "QUARTET_TRUST": "tests"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    url = f"http://localhost:{port}"
    try:
        end = time.monotonic() + 20
        while not _ready(url):
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < end, "it was never ready"
            time.sleep(0.05)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def _ready(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz").status_code == 200
    return False


if __name__ == "__main__":
    Run.model = None  # the fakes have none, and importing Keras takes long
    settings = server_settings(SETTINGS + sys.argv[2].split())
    serve(sys.argv[3:], port=int(sys.argv[1]), settings=settings)

"""The process: a socket, signals, and an end that loses no request."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Iterable, Sequence
from types import FrameType

import uvicorn

from core.errors import UserError
from core.serving.application import application
from core.serving.connections import connections_within
from core.serving.protection import Protection, hosts_for, takes_addresses
from core.serving.runs import Serving
from core.serving.served import Source
from core.serving.settings import ServerSettings

log = logging.getLogger(__name__)

ACCEPT_SECONDS = 0.05  # in which connections that wait are accepted
FILES_BESIDE = 256  # that a process has open beside its connections
# The model's thread needs Python's lock between its operations, and waits so long for it each time that the
# thread of the connections is busy.
TURN_SECONDS = 0.001


class GracefulServer(uvicorn.Server):
    """A uvicorn server that loses no request when it is told to stop, and ends without an error.

    It says that it is not ready, takes the connections that are waiting, stops listening, closes each
    connection after its next answer, and then those that stayed idle.

    Args:
        config: Of uvicorn.
        serving: The runs.
        listening: The socket that it listens at.
    """

    def __init__(self, config: uvicorn.Config, serving: Serving, listening: socket.socket) -> None:
        super().__init__(config)
        self.serving, self.listening = serving, listening

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; the second signal stops at once."""
        if self.serving.stopping or not self.started:
            self.should_exit = self.force_exit = True
            return
        self.serving.stopping = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(self._take_no_more, loop)

    def _take_no_more(self, loop: asyncio.AbstractEventLoop) -> None:
        # Closing the socket would reset whoever has connected and is not yet accepted.
        self.listening.listen(0)
        loop.call_later(ACCEPT_SECONDS, self._close_connections, loop)

    def _close_connections(self, loop: asyncio.AbstractEventLoop) -> None:
        for server in self.servers:
            server.close()
        self.serving.closing = True
        self.serving.streamer.stop(loop.time() + self.serving.settings.limits.answer_seconds)
        self._stop_when_idle(loop, loop.time() + self.serving.settings.drain_seconds)

    def _stop_when_idle(self, loop: asyncio.AbstractEventLoop, end: float) -> None:
        if not self.server_state.connections or loop.time() >= end:
            self.should_exit = True
        else:
            loop.call_later(ACCEPT_SECONDS, self._stop_when_idle, loop, end)

    async def on_tick(self, counter: int) -> bool:
        """Stop also where a run can't be loaded."""
        return await super().on_tick(counter) or self.serving.failed is not None


def serve(
    runs: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    settings: ServerSettings | None = None,
    token: str | None = None,
    allow_hosts: Iterable[str] = (),
    allow_origins: Iterable[str] = (),
    public_page: bool = False,
) -> None:
    """Serve runs until the process is told to stop.

    Args:
        runs: `FOLDER` or `NAME=FOLDER`, each a run, a link to one, or a folder of runs.
        host: Address to bind to.
        port: 0 takes a free one.
        settings: Batching, limits, reloading.
        token: That requests must bear, if given.
        allow_hosts: Names that the server may be called by, besides those of loopback.
        allow_origins: Of other pages that may call it from a browser.
        public_page: Whether the page needs no token, where requests do.

    Raises:
        UserError: A run can't be served, or the address can't be bound.
    """
    settings = settings or ServerSettings()
    protection = Protection(
        token,
        hosts_for(host, allow_hosts),
        frozenset(allow_origins),
        settings.limits.requests,
        settings.limits.bodies_bytes,
        takes_addresses(host),
        public_page,
    )
    serving = Serving([Source.parse(run) for run in runs], settings, protection)
    config = uvicorn.Config(
        application(serving),
        access_log=False,
        proxy_headers=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        http=connections_within(settings.limits),
        timeout_keep_alive=15,
        timeout_graceful_shutdown=round(settings.limits.answer_seconds) + 5,
        backlog=2048,
        ws="none",
    )
    logging.basicConfig(format="%(message)s")
    logging.getLogger("core.serving").setLevel(logging.INFO)
    # It warns that batches of several sizes are traced anew, which happens while a model is warmed up.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    sys.setswitchinterval(TURN_SECONDS)
    _raise_open_files(settings.limits.connections + FILES_BESIDE)
    with _bound(host, port) as listening:
        address = listening.getsockname()
        where = f"[{address[0]}]" if ":" in address[0] else address[0]
        log.info("Loading %s for http://%s:%d/", ", ".join(serving.runs), where, address[1])
        GracefulServer(config, serving, listening).run([listening])
    if serving.failed is not None:
        raise serving.failed


def _raise_open_files(count: int) -> None:
    """Let the process hold so many files and connections open, as far as the system lets it."""
    try:
        import resource
    except ImportError:  # there is none on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise UserError(
            f"The server can't listen there: {error.strerror or error}. Give another --host or --port. "
            f"Received: {host}:{port}."
        ) from None
    return listening

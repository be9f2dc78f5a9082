"""Answers that are sent as they grow, as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from core.errors import UserError
from core.serving.answering import in_json
from core.serving.problems import UNFORESEEN, Problem
from core.serving.served import LoadedRun
from core.task.contract import Options

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

END = object()
LOOK_SECONDS = 0.25  # between looks whether the server stops
COMMENT_SECONDS = 10.0  # of silence, after which a comment tries whether the client still reads
COMMENT = b":\n\n"
MOST_UNSENT = 64  # states of an answer; of more the earliest are left out


class Streamer:
    """Lets one answer at a time grow, in a thread that all runs share, beside the predictions.

    Args:
        queue: How many may grow or wait.
    """

    def __init__(self, queue: int = 16) -> None:
        self.queue = queue
        self._under_way = 0
        self._end = math.inf
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stream")

    def response(self, loaded: LoadedRun, value: Any, options: Options | None, seconds: float) -> EventStream:
        """Return the response that sends an answer as it grows.

        Args:
            loaded: The run that answers, which stays in memory meanwhile.
            value: A raw input.
            options: Of the answer, where the task has any.
            seconds: In which a client must take what is sent; the whole answer may take longer.

        Raises:
            Problem: Too many answers are being written already (503).
        """
        if self._under_way >= self.queue:
            raise Problem(503, f"{self._under_way} answers are being written already.", retry_after=1)
        held = contextlib.ExitStack()
        held.enter_context(loaded.in_use())
        held.enter_context(self._one_more())
        return EventStream(self._events(loaded, value, options), seconds, held)

    def stop(self, end: float) -> None:
        """End what still grows at a time, of the loop's clock, as the server is told to stop."""
        self._end = end

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @contextlib.contextmanager
    def _one_more(self) -> Iterator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def _events(
        self, loaded: LoadedRun, value: Any, options: Options | None
    ) -> AsyncGenerator[bytes, None]:
        """Yield an event for each state of an answer; the last is followed by one named `end`.

        A mistake of the client, or a bug, becomes an event named `problem`. Close it early, and the answer is
        given up after its next state.
        """
        states: asyncio.Queue[Any] = asyncio.Queue()
        loop, given_up = asyncio.get_running_loop(), threading.Event()
        try:
            self._thread.submit(_write_states, loaded, value, options, loop, states, given_up)
            async for state in self._until_end(states):
                yield state if isinstance(state, bytes) else _event(None, bytes(in_json(state).body))
        except Problem as problem:
            yield _event("problem", problem.document.model_dump_json().encode())
        else:
            yield _event("end", json.dumps({"run": loaded.run.folder.name}).encode())
        finally:
            given_up.set()

    async def _until_end(self, states: asyncio.Queue[Any]) -> AsyncGenerator[Any, None]:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            try:
                # Not wait_for, which before Python 3.12 loses a cancellation that comes beside a state.
                async with asyncio.timeout(LOOK_SECONDS):
                    state = await states.get()
            except TimeoutError:
                state = COMMENT
            now = loop.time()
            if now >= self._end:
                raise Problem(503, "The server stops before the answer is whole.", retry_after=5)
            if state is END:
                return
            if isinstance(state, Problem):
                raise state
            if state is not COMMENT or now - last >= COMMENT_SECONDS:
                last = now
                yield state


class EventStream(Response):
    """A response whose events are sent while a client reads them.

    It ends with the events, or when the client hangs up, or does not take one in time.

    Args:
        events: What is sent; closed at the end, whatever it is.
        seconds: In which a client must take an event.
        held: What is let go of at the end.
    """

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes, None], seconds: float, held: contextlib.ExitStack
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})  # proxies would keep events back
        del self.headers["content-length"]
        self.events, self.seconds, self.held = events, seconds, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        with self.held:
            await self._send_while_heard(receive, send)

    async def _send_while_heard(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        listening = asyncio.create_task(_hung_up(receive))
        try:
            await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, listening):
                task.cancel()
            await asyncio.wait((sending, listening))
        if not sending.cancelled() and (error := sending.exception()) is not None:
            raise error

    async def _send(self, send: Send) -> None:
        with contextlib.suppress(TimeoutError, OSError):  # the client is gone, or reads no more
            async with contextlib.aclosing(self.events):
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                async for event in self.events:
                    async with asyncio.timeout(self.seconds):
                        await send({"type": "http.response.body", "body": event, "more_body": True})
                await send({"type": "http.response.body", "body": b""})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _write_states(
    loaded: LoadedRun,
    value: Any,
    options: Options | None,
    loop: asyncio.AbstractEventLoop,
    states: asyncio.Queue[Any],
    given_up: threading.Event,
) -> None:
    def put(state: Any) -> None:
        # Each state is all of the answer so far, so a client that reads slowly misses nothing for good.
        if states.qsize() >= MOST_UNSENT:
            states.get_nowait()
        states.put_nowait(state)

    def tell(state: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(put, state)

    try:
        for state in _states(loaded, value, options, given_up):
            tell(state)
        tell(END)
    except UserError as error:
        tell(Problem(422, str(error), "input"))
    except Exception:
        log.exception("%s: an answer broke off", loaded.run.folder.name)
        tell(Problem(500, UNFORESEEN))


def _states(
    loaded: LoadedRun, value: Any, options: Options | None, given_up: threading.Event
) -> Iterator[dict[str, Any]]:
    """Yield what an answer is so far, until it is given up; between states others may call the model."""
    if given_up.is_set():  # while it waited for the thread
        return
    run = loaded.run
    states = iter(run.experiment.task.stream(run.model, run.encoder, value, options))
    try:
        while not given_up.is_set():
            with loaded.turn:
                state = next(states, None)
            if state is None:
                return
            yield state
    finally:
        if close := getattr(states, "close", None):
            close()


def _event(name: str | None, data: bytes) -> bytes:
    return (b"event: %s\n" % name.encode() if name else b"") + b"data: %s\n\n" % data

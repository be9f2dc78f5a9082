"""Answers that are sent as they grow, as server-sent events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.errors import UserError
from core.serving.answering import in_json
from core.serving.problems import UNFORESEEN, Problem, ProblemDocument
from core.serving.served import LoadedRun, ServedRun
from core.task.contract import Options

END = object()


class Streamer:
    """Lets one answer at a time grow, in a thread that all runs share, beside the predictions.

    Args:
        queue: How many may wait.
    """

    def __init__(self, queue: int = 16) -> None:
        self.queue = queue
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stream")

    async def events(self, served: ServedRun, value: Any, options: Options | None) -> AsyncIterator[bytes]:
        """Yield an event for each state of an answer; the last is followed by one named `end`.

        A mistake of the client, or a bug, becomes an event named `problem`. When the client hangs up, the
        answer is given up after its next state.

        Args:
            served: The run that answers, which stays in memory meanwhile.
            value: A raw input.
            options: Of the answer, where the task has any.
        """
        if self._waiting >= self.queue:
            yield _problem(Problem(503, f"{self._waiting} answers are being written already."))
            return
        self._waiting += 1
        states: asyncio.Queue[Any] = asyncio.Queue()
        given_up = threading.Event()
        try:
            with served.using() as loaded:
                loop = asyncio.get_running_loop()
                work = loop.run_in_executor(
                    self._thread, _write_states, loaded, value, options, loop, states, given_up
                )
                while (state := await states.get()) is not END:
                    yield _problem(state) if isinstance(state, Problem) else _event(state)
                await work
            yield b"event: end\ndata: {}\n\n"
        finally:
            given_up.set()
            self._waiting -= 1

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _write_states(
    loaded: LoadedRun,
    value: Any,
    options: Options | None,
    loop: asyncio.AbstractEventLoop,
    states: asyncio.Queue[Any],
    given_up: threading.Event,
) -> None:
    def tell(state: Any) -> None:
        loop.call_soon_threadsafe(states.put_nowait, state)

    run = loaded.run
    try:
        with loaded.turn:
            for state in run.experiment.task.stream(run.model, run.encoder, value, options):
                tell(state)
                if given_up.is_set():
                    break
    except UserError as error:
        tell(Problem(422, str(error), "input"))
    except Exception:
        tell(Problem(500, UNFORESEEN))
        raise
    finally:
        tell(END)


def _event(state: dict[str, Any]) -> bytes:
    return b"data: " + bytes(in_json(state).body) + b"\n\n"


def _problem(problem: Problem) -> bytes:
    document: ProblemDocument = problem.document
    return b"event: problem\ndata: " + document.model_dump_json().encode() + b"\n\n"

"""Micro-batching: concurrent requests share one call of the model."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from core.serving.settings import Batching

Predict = Callable[[list[Any]], Sequence[Any]]
QUIET_TURNS = 3  # of the loop: a request is read in one, and asks in the next


class QueueFullError(Exception):
    """The queue is full.

    Args:
        seconds: After which there may be room.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"full for {seconds:.1f} s")
        self.seconds = seconds


class InputError(Exception):
    """One of several inputs could not be answered; `__cause__` says why.

    Args:
        index: Which of them.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"input {index}")
        self.index = index


@dataclass(eq=False, slots=True)
class Waiting:
    """An input that waits for its answer, or for the exception that it causes."""

    value: Any
    answer: asyncio.Future[Any]
    since: float = field(default_factory=time.perf_counter)


class MicroBatcher:
    """Gathers the inputs of concurrent requests and has them answered together, in a thread of its own.

    An input waits for company only while the model is idle, no longer than `batching.wait`, and until more
    than half as many are there as went together the last time and no more come turn by turn of the loop. So
    one client that asks again and again is answered at once, and of many most are read before the model
    begins, unless one has waited that long: model and connections would hinder each other, since one of them
    at a time runs Python.

    Args:
        predict: From inputs to as many answers; called in one thread, never twice at once.
        batching: How many inputs go together, and how long and how many may wait.
        observe: Called after each batch with its size and its seconds.
    """

    def __init__(
        self,
        predict: Predict,
        batching: Batching,
        observe: Callable[[int, float], None] | None = None,
    ) -> None:
        self.predict = predict
        self.batching = batching
        self.observe = observe or (lambda size, seconds: None)
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._closing = False
        self._last = 1  # inputs that went together
        self._seconds_an_input = 0.0
        self._wanted = 1
        self._task = asyncio.create_task(self._work())

    def __len__(self) -> int:
        return len(self._waiting)

    async def answers(self, values: Sequence[Any]) -> list[Any]:
        """Return the answers to inputs, in their order.

        Cancel it, and those of the inputs that still wait will cost no work.

        Raises:
            QueueFullError: Too many inputs are waiting already; none of these was taken.
            InputError: One of the inputs can't be answered.
        """
        if len(self._waiting) + len(values) > self.batching.queue:
            raise QueueFullError(len(self._waiting) * self._seconds_an_input)
        loop = asyncio.get_running_loop()
        mine = [Waiting(value, loop.create_future()) for value in values]
        self._waiting.extend(mine)
        if len(self._waiting) >= self._wanted:
            self._arrived.set()
        answers = []
        try:
            for index, each in enumerate(mine):
                answer = await each.answer
                if isinstance(answer, Exception):
                    raise InputError(index) from answer
                answers.append(answer)
        finally:
            for each in mine:
                each.answer.cancel()
        return answers

    async def close(self) -> None:
        """Answer what waits, then end the thread."""
        self._closing = True
        self._arrived.set()
        await self._task
        self._thread.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closing or self._waiting:
            batch = await self._next_batch()
            if not batch:
                continue
            start = time.perf_counter()
            answers = await loop.run_in_executor(self._thread, self._each, [one.value for one in batch])
            seconds = time.perf_counter() - start
            self._last = len(batch)
            self._seconds_an_input += 0.2 * (seconds / len(batch) - self._seconds_an_input)
            self.observe(len(batch), seconds)
            for one, answer in zip(batch, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)

    async def _next_batch(self) -> list[Waiting]:
        await self._until(1)
        if self._waiting:
            end = self._waiting[0].since + self.batching.wait
            await self._until(self._last // 2 + 1, end - time.perf_counter())
            await self._until_quiet(end)
        batch: list[Waiting] = []
        while self._waiting and len(batch) < self.batching.size:
            one = self._waiting.popleft()
            if not one.answer.done():
                batch.append(one)
        return batch

    async def _until(self, count: int, seconds: float | None = None) -> None:
        """Wait until so many inputs wait, none will come any more, or the time is over."""
        if self._closing or len(self._waiting) >= count or (seconds is not None and seconds <= 0):
            return
        self._wanted = count
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()

    async def _until_quiet(self, end: float) -> None:
        """Wait until some turns of the loop brought nothing, a batch is full, or the time is over."""
        quiet = 0
        while quiet < QUIET_TURNS and len(self._waiting) < self.batching.size and time.perf_counter() < end:
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == before else 0

    def _each(self, values: list[Any]) -> list[Any]:
        """Return for each input its answer, or the exception that it alone causes."""
        try:
            answers = list(self.predict(values))
            if len(answers) != len(values):
                raise RuntimeError(f"{len(values)} inputs got {len(answers)} answers")
        except Exception as error:
            if len(values) == 1:
                return [error]
            half = len(values) // 2
            return self._each(values[:half]) + self._each(values[half:])
        return answers

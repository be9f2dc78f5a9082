"""Explanations, which take longer than predictions, beside them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from core.serving.problems import Problem
from core.serving.served import LoadedRun


@dataclass(frozen=True)
class Explained:
    """An explanation, ready to be sent.

    Args:
        numbers: As JSON.
        picture: PNG.
    """

    numbers: dict[str, Any]
    picture: bytes


class Explainer:
    """Explains one input at a time, in a thread that all runs share: its pictures are drawn there too.

    Args:
        queue: How many may wait.
    """

    def __init__(self, queue: int = 16) -> None:
        self.queue = queue
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="explanation")

    async def explained(self, loaded: LoadedRun, value: Any, method: str | None) -> Explained:
        """Return the explanation of one raw input.

        Raises:
            Problem: Too many are waiting already.
            UserError: The task can't explain, or not by this method.
        """
        if self._waiting >= self.queue:
            raise Problem(
                503, f"{self._waiting} explanations are waiting already.", retry_after=self._waiting
            )
        run = loaded.run
        task: Any = run.experiment.task

        def work() -> Explained:
            with loaded.turn:
                explanation = task.explain(run.model, run.encoder, value, method)
            return Explained(explanation.to_json(), explanation.png())

        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

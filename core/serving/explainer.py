"""Explanations, which take longer than predictions, beside them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from core.serving.problems import Problem
from core.serving.served import LoadedRun

if TYPE_CHECKING:
    from core.explanation import Explanation


class Explainer:
    """Explains one input at a time, beside the predictions, in a thread that all runs share.

    Args:
        queue: How many may wait.
    """

    def __init__(self, queue: int = 16) -> None:
        self.queue = queue
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="explanation")

    async def explanation(self, loaded: LoadedRun, value: Any, method: str | None) -> Explanation:
        """Return the explanation of one raw input.

        Raises:
            Problem: Too many wait already.
            UserError: The task can't explain, or not by this method.
        """
        if self._waiting >= self.queue:
            raise Problem(503, f"{self._waiting} explanations wait already.", retry_after=self._waiting)
        run = loaded.run
        task: Any = run.experiment.task
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, lambda: task.explain(run.model, run.encoder, value, method)
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

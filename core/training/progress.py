"""What a person sees while a model trains."""

from __future__ import annotations

from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from core.callbacks import Throughput


class ProgressBar(keras.callbacks.Callback):
    """A bar over the epochs with the latest figures beside it, on standard error.

    Args:
        epochs: How many epochs there are at most.
        objective: The figure to show first.
        throughput: What measures the speed that is shown.
    """

    def __init__(self, epochs: int, objective: str, throughput: Throughput) -> None:
        super().__init__()
        self.objective = objective
        self.throughput = throughput
        # On 80 columns the figures take a second line; the count of epochs is never cut.
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(10),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[figures]}", table_column=Column(no_wrap=False)),
            console=Console(stderr=True),
        )
        self.epochs = self.bar.add_task("epoch", total=epochs, figures="")

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Show the bar."""
        self.bar.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar and show the epoch's figures."""
        self.bar.update(self.epochs, completed=epoch + 1, figures=self._figures(logs or {}))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Leave the bar as it stands."""
        self.bar.stop()

    def _figures(self, logs: dict[str, Any]) -> str:
        shown = [f"{name} {logs[name]:.4g}" for name in (self.objective, "loss") if name in logs]
        speed, wait = self.throughput.examples_per_second, self.throughput.data_wait_share
        shown += [f"{speed:.0f} examples/s"] if speed else []
        shown += [f"{wait:.0%} waiting for data"] if wait is not None else []
        return "  ".join(shown)

"""The first steps of a training, run for their time alone."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from core.callbacks import ExactResume, Throughput
from core.devices import dtype_policy
from core.experiment import Experiment, built
from core.fit import Training
from core.task.contract import Encoder

if TYPE_CHECKING:
    from core.data.examples import Splits

WARM_UP = 5
LEAST_CALLS = 3  # that are measured, where each runs several steps


class Probe(keras.callbacks.Callback):
    """Takes the time of steps, and ends the training after so many.

    A step takes from the end of the one before to its own, callbacks and all; where several run at one call,
    they share its time.

    Args:
        steps: To measure, after the first five, which compile; of three calls at least.

    Attributes:
        seconds: A step, of each measured call.
        loss: Mean over all steps; nothing before the first.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.seconds: list[float] = []
        self.loss: float | None = None
        self._seen = 0
        self._start = 0.0

    @property
    def takes_batches(self) -> bool:
        """Whether the training goes by gradient, a batch a step."""
        return getattr(self.model, "optimizer", None) is not None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the steps of a call."""
        together = getattr(self.model, "steps_per_execution", 1)
        self.loss = (logs or {}).get("loss", self.loss)
        now = time.perf_counter()
        if self._seen >= WARM_UP:
            self.seconds.append((now - self._start) / together)
        self._seen += together
        self._start = now
        if len(self.seconds) >= max(self.steps / together, min(self.steps, LEAST_CALLS)):
            raise EnoughError


class EnoughError(Exception):
    """Ends a training whose steps are measured."""


def probed(
    experiment: Experiment,
    splits: Splits,
    encoder: Encoder,
    steps: int,
    throughput: Throughput | None = None,
) -> Probe:
    """Train a fresh model of an experiment for some steps, of which nothing is kept.

    Args:
        experiment: What to train.
        splits: Audited examples.
        encoder: What the task learnt from them.
        steps: How many to measure, at least 1.
        throughput: Told of the steps too, if given.
    """
    fit = experiment.fit.model_copy(update={"epochs": 1_000_000, "tensorboard": False})
    keras.utils.set_random_seed(fit.seed)
    probe = Probe(steps)
    with tempfile.TemporaryDirectory() as folder, dtype_policy(fit.precision):
        model = built(experiment, encoder)
        resume = ExactResume(Path(folder), [], every_seconds=1e9)
        with contextlib.suppress(EnoughError):
            callbacks = [*([throughput] if throughput else []), probe, resume]
            experiment.task.fit(
                Training(
                    model, encoder, splits, fit, resume=resume, callbacks=callbacks, throughput=throughput
                )
            )
        if throughput:
            throughput.on_epoch_end(0)  # which the training was cut off before, and it adds up by epochs
    return probe

"""How fast a training runs, and how much of the time it waits for data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    import tensorflow as tf


class Throughput(keras.callbacks.Callback):
    """Measures examples a second and the share of time spent waiting for data.

    Time runs from the beginning of an epoch to the end of its last step; validation is not counted. The first
    step, which compiles, is left out, and so is the whole first epoch where there are further ones, because
    JAX compiles anew for a smaller last batch. Put this callback first in the list.

    Callbacks can't see a wait for data: Keras takes the next batch inside the compiled step. To have it
    measured pass the training data through `watch`.

    Args:
        batch_size: Examples a step.
        num_examples: Examples an epoch, to account for a smaller last batch. None if all batches are full.
        log: Add the figures to the logs of each epoch, from where History and TensorBoard take them. Off by
            default, because a history with times in it is never the same twice.

    Example:

    >>> throughput = Throughput(batch_size=8, num_examples=20)
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = keras.ops.zeros((20, 1))
    >>> history = model.fit(x, x, batch_size=8, epochs=2, callbacks=[throughput], verbose=0)
    >>> throughput.examples_per_second > 0
    True
    """

    def __init__(self, batch_size: int, num_examples: int | None = None, *, log: bool = False) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.num_examples = num_examples
        self.log = log
        self._stopwatch = _Stopwatch()
        self._epochs: list[
            tuple[bool, int, float, float | None]
        ] = []  # settled, steps, seconds, seconds waited

    @property
    def steps_per_second(self) -> float | None:
        """Steps a second, None before there is a measured step."""
        steps, seconds, _ = self._total()
        return steps / seconds if seconds else None

    @property
    def examples_per_second(self) -> float | None:
        """Examples a second, None before there is a measured step."""
        rate = self.steps_per_second
        return None if rate is None else rate * self._examples_per_step()

    @property
    def data_wait_share(self) -> float | None:
        """Share of the time spent waiting for data, 0 to 1, None if the data are not watched."""
        _, seconds, waited = self._total()
        return None if waited is None or not seconds else min(waited / seconds, 1.0)

    def summary(self) -> dict[str, float]:
        """Return the figures that have been measured, by their names."""
        names = ("examples_per_second", "steps_per_second", "data_wait_share")
        figures = {name: getattr(self, name) for name in names}
        return {name: figure for name, figure in figures.items() if figure is not None}

    def watch(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """Return the same batches, with the time taken from each request to its answer.

        The clock is in TensorFlow's own pipeline, after all prefetching, so the time is what the training
        step spends waiting and not what the preparation of a batch takes. It costs 0.1 to 0.2 ms a step.

        Args:
            dataset: The training data as it goes to `fit`.

        Returns:
            A data set of the same elements, specification and cardinality.
        """
        import tensorflow as tf

        with tf.device("CPU:0"):
            waited = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self._stopwatch.waited = waited

        def add(start: tf.Tensor, batch: Any) -> Any:
            waited.assign_add(tf.timestamp() - start)
            return batch

        # Zip asks its parts one after another.
        now = tf.data.Dataset.counter().map(lambda _: tf.timestamp())
        watched = tf.data.Dataset.zip((now, dataset)).map(add)
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False  # would ask ahead of the training step
        return watched.with_options(options)

    def on_train_begin(self, logs: Mapping | None = None) -> None:
        """Forget the last training."""
        self._epochs = []
        self._stopwatch.settled = self._stopwatch.running = False

    def on_epoch_begin(self, epoch: int, logs: Mapping | None = None) -> None:
        """Start the clock, unless the first step is still to come."""
        if self._stopwatch.settled:
            self._stopwatch.start(steps_before=0)

    def on_train_batch_end(self, batch: int, logs: Mapping | None = None) -> None:
        """Note the time, or start the clock if this was the first step."""
        if self._stopwatch.running:
            self._stopwatch.note(batch + 1)
        else:
            self._stopwatch.start(steps_before=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add up the epoch."""
        stopwatch = self._stopwatch
        if stopwatch.running:
            self._epochs.append(
                (stopwatch.settled, stopwatch.steps, stopwatch.seconds, stopwatch.seconds_waited())
            )
            stopwatch.settled, stopwatch.running = True, False
        if self.log and logs is not None:
            logs.update(self.summary())

    def _examples_per_step(self) -> float:
        steps = (self.params or {}).get("steps")
        return self.num_examples / steps if self.num_examples and steps else float(self.batch_size)

    def _total(self) -> tuple[int, float, float | None]:
        settled = [epoch for epoch in self._epochs if epoch[0]]
        counted = [epoch[1:] for epoch in settled or self._epochs]
        waited = [wait for *_, wait in counted if wait is not None]
        return (
            sum(steps for steps, *_ in counted),
            sum(seconds for _, seconds, _ in counted),
            sum(waited) if waited else None,
        )


class _Stopwatch:
    """The clock of this process, an object of its own so that no checkpoint carries it to another."""

    def __init__(self) -> None:
        self.waited: tf.Variable | None = None
        self.settled = False  # whether an epoch of this training is over
        self.running = False
        self.steps = 0
        self.seconds = 0.0

    def start(self, steps_before: int) -> None:
        self.running = True
        self._steps_before, self.steps, self.seconds = steps_before, 0, 0.0
        self._waited_before = self._waited()
        self._start = time.perf_counter()

    def note(self, steps: int) -> None:
        self.steps = steps - self._steps_before
        self.seconds = time.perf_counter() - self._start

    def seconds_waited(self) -> float | None:
        return None if self.waited is None else self._waited() - self._waited_before

    def _waited(self) -> float:
        return 0.0 if self.waited is None else float(self.waited.numpy())

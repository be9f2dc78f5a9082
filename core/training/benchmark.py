"""Where the time of a training step goes, and how much of the machine it uses."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from core.callbacks import Throughput
from core.data.feed import Feed
from core.data.splitting import require_parts
from core.experiment import Experiment
from core.training.probe import probed
from core.training.starting import encoded

MATRIX = 2048  # rows of the matrices whose product says what the machine can do
REPEATS = 10
WAITING, UPDATING, BUSY = 0.05, 0.3, 0.5  # shares from which on something is said to limit a step


@dataclass(frozen=True)
class StepReport:
    """What the steps of a training were measured to be.

    Args:
        steps: That were measured.
        examples_per_second: At the median of the steps; nothing where a step takes all examples.
        milliseconds: Of a step: name of a percentile to its time.
        shares: Of a step's time, 0 to 1: `data`, `forward`, `backward`, `update`. Empty where the training
            has no steps of gradient or a step of its own, or the backend is not TensorFlow.
        gigaflops: Done a second, forward and backward, as TensorFlow counts them, which counts a loop once.
        possible_gigaflops: Of a large matrix product in single precision.
        peak_megabytes: Of memory, that the process held at most.
        limit: What limits a step, in words.
    """

    steps: int
    examples_per_second: float | None
    milliseconds: Mapping[str, float]
    shares: Mapping[str, float]
    gigaflops: float | None
    possible_gigaflops: float
    peak_megabytes: float | None
    limit: str


def benchmark(experiment: Experiment, steps: int = 50) -> StepReport:
    """Train an experiment for some steps, and say where their time goes; nothing is kept of it.

    Args:
        experiment: What to train, as it is: its data, its model, its optimizer.
        steps: How many to measure, at least 1, after the first five, which compile.

    Raises:
        UserError: The data can't be used.
    """
    task, fit = experiment.task, experiment.fit
    splits = task.load()
    require_parts(splits)
    encoder = encoded(experiment, splits.train)
    num_units = task.count(splits.train, encoder)
    throughput = Throughput(fit.batch_size, num_units)
    probe = probed(experiment, splits, encoder, steps, throughput)
    step, wait = float(np.median(probe.seconds)), throughput.data_wait_share or 0.0
    parts = None
    if probe.takes_batches and _has_plain_steps(probe.model):
        feed = Feed(fit.batch_size, training=True, seed=fit.seed)
        parts = _Parts.of(probe.model, next(iter(task.batches(splits.train, encoder, feed))))
    shares = parts.shares(float(np.mean(probe.seconds)), wait) if parts else {}
    gigaflops = parts.flops / step / 1e9 if parts and parts.flops else None
    possible = possible_gigaflops()
    return StepReport(
        steps=len(probe.seconds),
        examples_per_second=min(fit.batch_size, num_units) / step if probe.takes_batches else None,
        milliseconds={f"p{each}": 1000 * float(np.percentile(probe.seconds, each)) for each in (50, 90, 99)},
        shares=shares,
        gigaflops=gigaflops,
        possible_gigaflops=possible,
        peak_megabytes=_peak_megabytes(),
        limit=limit_of(shares, gigaflops, possible),
    )


def limit_of(shares: Mapping[str, float], gigaflops: float | None, possible: float) -> str:
    """Return what limits a step, and what may help, in words.

    Example:

    >>> limit_of({"data": 0.4, "forward": 0.2, "backward": 0.3, "update": 0.1}, 10.0, 100.0)
    'It waits for data 40% of the time: fewer or cheaper augmentations, or more cores, would make it faster.'
    """
    if not shares:
        return "Its steps are its own, so only their time was measured."
    if shares["data"] > WAITING:
        return (
            f"It waits for data {shares['data']:.0%} of the time: fewer or cheaper augmentations, or more "
            "cores, would make it faster."
        )
    if shares["update"] > UPDATING:
        return (
            f"The optimizer takes {shares['update']:.0%} of a step: fit.optimizer=lazy_adam where tables are "
            "large, larger batches where they are not."
        )
    if gigaflops is None:
        return "Forward and backward take the time; TensorFlow can't count their operations."
    used = gigaflops / possible
    if used >= BUSY:
        return f"Arithmetic: {used:.0%} of what this machine can do. A smaller net is faster."
    return (
        f"Small operations: {used:.0%} of the arithmetic that this machine can do. Larger batches, "
        "fit.jit_compile=true or fit.precision=mixed_bfloat16 may use more of it: measure them."
    )


def possible_gigaflops() -> float:
    """Return the billions of operations a second of a large matrix product in single precision."""
    matrix = keras.random.normal((MATRIX, MATRIX), seed=0)

    def product() -> None:
        keras.ops.convert_to_numpy(keras.ops.matmul(matrix, matrix)[0, 0])

    return 2 * MATRIX**3 / min(_timed(product)[0]) / 1e9


@dataclass(frozen=True)
class _Parts:
    """The times of what a step does, in seconds, and its operations.

    Args:
        forward: From a batch to its loss.
        gradient: From a batch to the gradient.
        flops: Of the latter, 0 where they can't be counted.
    """

    forward: float
    gradient: float
    flops: float

    @classmethod
    def of(cls, model: keras.Model, batch: Any) -> _Parts:
        """Measure a compiled model on one batch."""
        import tensorflow as tf

        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)

        def loss() -> tf.Tensor:
            predicted = model(x, training=True)
            return model.compute_loss(x, y, predicted, sample_weight, training=True)

        def gradient() -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                value = loss()
            gradients = tape.gradient(value, [weight.value for weight in model.trainable_weights])
            return [each for each in tf.nest.flatten(gradients, expand_composites=True) if each is not None]

        compiled = [tf.function(each, jit_compile=model.jit_compile or None) for each in (loss, gradient)]
        forward, whole = (float(np.median(each)) for each in _timed(*map(_waited, compiled)))
        return cls(forward, whole, _flops(tf.function(gradient).get_concrete_function().graph))

    def shares(self, step: float, wait: float) -> dict[str, float]:
        """Return the shares of a step that took so many seconds, a share of them waiting for data."""
        shares = {
            "data": wait,
            "forward": self.forward / step,
            "backward": max(self.gradient - self.forward, 0.0) / step,
        }
        total = sum(shares.values())
        # Measured alone, the parts may take longer than together.
        shares = {name: share / max(total, 1.0) for name, share in shares.items()}
        return {**shares, "update": max(1.0 - total, 0.0)}


def _has_plain_steps(model: keras.Model) -> bool:
    """Return whether a training went by Keras' own steps of gradient, on TensorFlow."""
    return keras.backend.backend() == "tensorflow" and type(model).train_step is keras.Model.train_step


def _waited(call: Callable[[], Any]) -> Callable[[], None]:
    import tensorflow as tf

    def wait() -> None:
        tf.nest.flatten(call())[0].numpy()

    return wait


def _timed(*calls: Callable[[], None]) -> list[list[float]]:
    """Return the seconds of each of some calls, taken by turns, after one that may compile."""
    seconds: list[list[float]] = [[] for _ in calls]
    for turn in range(REPEATS + 1):
        for call, taken in zip(calls, seconds, strict=True):
            start = time.perf_counter()
            call()
            if turn:
                taken.append(time.perf_counter() - start)
    return seconds


def _flops(graph: Any) -> float:
    """Return the floating point operations of a TensorFlow graph whose shapes are known."""
    import tensorflow as tf

    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    counted = profiler.profile(graph, options=options.with_empty_output().build())
    return float(counted.total_float_ops) if counted else 0.0


def _peak_megabytes() -> float | None:
    """Return the most memory that this process held; nothing on a system that does not say."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)

"""Examples a second of four nets in training, beside the same nets in PyTorch, eager and compiled.

    python -m benchmarks.nets [PYTHON]

The peer is installed in an environment of its own, which is removed at the end; PYTHON is an interpreter that
has it already. Each way of a net has a process of its own, as a training has, and they take their turns:
every round runs each for some steps. All learn by Adam from the same numbers of random examples, in memory.
Ours are the nets, layers and optimizer that tasks are trained with.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import environment
from benchmarks.table import Line, given, print_table

PEER = "torch==2.13.0"
ROUNDS, SECONDS = 5, 2.0
CLASSES, TEXTS = 10, (64,)
VOCABULARY, WIDTH, HEADS = 20_000, 128, 4
BATCH, BATCHES = 64, 16
# Steps that ours run at one call, which `fit.steps_per_execution=auto` chooses for nets as small.
TOGETHER = 16
# Shape of a picture; width, blocks a stage and first stride of the net: that of the shipped configurations
# of pictures, and a narrow and deep one.
PICTURES = {"ResNet": ((28, 28, 1), 32, 1, 2), "narrow ResNet": ((32, 32, 3), 16, 3, 1)}

NETS = (*PICTURES, "Transformer", "GRU")
OURS = ("float32", "float32 XLA", "bfloat16", "bfloat16 XLA")
THEIRS = ("eager", "compiled", "bfloat16 eager", "bfloat16 compiled")


def examples(net: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs of all batches, and their classes."""
    random = np.random.default_rng(0)
    count = BATCH * BATCHES
    y = random.integers(0, CLASSES, count)
    if net in PICTURES:
        return random.normal(size=(count, *PICTURES[net][0])).astype(np.float32), y
    return random.integers(1, VOCABULARY, (count, *TEXTS), np.int32), y


def built(net: str) -> Any:
    """Return a net in Keras."""
    import keras
    import keras_hub

    from core.layers import FusedGRU
    from core.pictures.nets import resnet

    layers = keras.layers
    if net in PICTURES:
        shape, *settings = PICTURES[net]
        inputs = keras.Input(shape)
        x = resnet(inputs, *settings)
    else:
        inputs = keras.Input(TEXTS, dtype="int32")
        x = layers.Embedding(VOCABULARY, WIDTH)(inputs)
        if net == "GRU":
            x = layers.Bidirectional(FusedGRU(WIDTH, return_sequences=True))(x)
        else:
            for _ in range(2):
                x = keras_hub.layers.TransformerEncoder(
                    4 * WIDTH, HEADS, dropout=0.1, activation="relu", normalize_first=True
                )(x)
            x = layers.LayerNormalization()(x)
        x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, dtype="float32")(x))


def trainer(net: str, way: str) -> Callable[[], float]:
    """Return what trains a net in Keras for a while and says how many examples a second that were."""
    import keras
    import tensorflow as tf

    from core.optimizers import FusedAdam

    keras.config.set_dtype_policy("mixed_bfloat16" if "bfloat16" in way else "float32")
    model = built(net)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(FusedAdam(1e-4), loss, jit_compile="XLA" in way, steps_per_execution=TOGETHER)
    data = tf.data.Dataset.from_tensor_slices(examples(net)).batch(BATCH).cache().repeat().prefetch(2)
    options = tf.data.Options()
    options.autotune.enabled = False  # as in `core.data.feed`
    data = data.with_options(options)

    class Clock(keras.callbacks.Callback):
        """Ends the training in time; the first call, which may compile, is not counted."""

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            self.steps, self.end = batch + 1 - TOGETHER, time.perf_counter()
            if not self.steps:
                self.start = self.end
            self.model.stop_training = self.end - self.start >= SECONDS

    def train() -> float:
        clock = Clock()
        model.fit(data, steps_per_epoch=1_000_000, verbose=0, callbacks=[clock])
        return BATCH * clock.steps / (clock.end - clock.start)

    return train


def answer(trainer: Callable[[str, str], Callable[[], float]]) -> None:
    """Train the net in the way that the command line names; print examples a second for each line read."""
    train = trainer(*sys.argv[-2:])
    train()
    for _ in sys.stdin:
        print(train(), flush=True)


class Side:
    """A process that trains a net when it is asked to.

    Args:
        command: What it runs.
    """

    def __init__(self, *command: str | Path) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def examples_per_second(self) -> float:
        """Return how many examples a second it trains with now."""
        assert self.process.stdin
        assert self.process.stdout
        print(file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def lines(python: Path) -> Iterator[Line]:
    """Yield the best way of ours beside the better of PyTorch eager and compiled, then beside its best.

    Args:
        python: An interpreter that has the peer.
    """
    commands = {
        "Keras": ((sys.executable, "-m", "benchmarks.nets", "--ours"), OURS),
        "PyTorch": ((python, "-m", "benchmarks.nets_pytorch"), THEIRS),
    }
    for net in NETS:
        sides = [
            (name, way, Side(*command, net, way))
            for name, (command, ways) in commands.items()
            for way in ways
        ]
        for *_, side in sides:  # until all have warmed up
            side.examples_per_second()
        rates: dict[str, dict[str, list[float]]] = {name: {} for name in commands}
        for _ in range(ROUNDS):
            for name, way, side in sides:
                rates[name].setdefault(way, []).append(side.examples_per_second())
        for *_, side in sides:
            side.process.kill()  # TensorFlow takes a while to end by itself
        for name, rates_of_ways in rates.items():
            medians = ", ".join(
                f"{way} {statistics.median(each):,.0f}" for way, each in rates_of_ways.items()
            )
            print(f"{net}, {name}, examples a second: {medians}", flush=True)
        ours, theirs = rates["Keras"], rates["PyTorch"]
        best = fastest(ours, OURS)
        for rival in (fastest(theirs, THEIRS[:2]), fastest(theirs, THEIRS)):
            yield Line(
                f"{net}, training",
                "examples a second",
                ours[best],
                f"PyTorch {PEER.partition('==')[2]}, {rival}",
                theirs[rival],
                more=True,
                note=best,
            )


def fastest(rates: dict[str, list[float]], ways: tuple[str, ...]) -> str:
    """Return the fastest of some ways, by the medians."""
    return max(ways, key=lambda way: statistics.median(rates[way]))


def main() -> None:
    """Print the table."""
    if python := given(__doc__, "PYTHON"):
        print_table(list(lines(Path(python[0]))))
        return
    with environment(PEER, "numpy") as python:
        print_table(list(lines(python)))


if __name__ == "__main__":
    answer(trainer) if sys.argv[1:2] == ["--ours"] else main()

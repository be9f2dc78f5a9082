"""How long a training step takes as a table grows: Keras' Embedding and Adam beside those of core.

    python -m benchmarks.embeddings
    KERAS_BACKEND=jax python -m benchmarks.embeddings

A net on ten ids of a table of vectors of 64, batches of 1,024, one step at a time; ids are drawn evenly. Each
pair of optimizer and size is built anew in every round, by turns. On TensorFlow without XLA, on JAX with it:
what Keras takes on a CPU.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping

import keras
import numpy as np

from benchmarks.table import Line, given, print_table
from core.layers import LargeEmbedding, LookupModel
from core.optimizers import LazyAdam, RowWiseAdagrad

WIDTH, IDS, BATCH = 64, 10, 1024
ROUNDS, STEPS, WARM_UP = 3, 20, 5
SIZES = (10_000, 1_000_000, 10_000_000)
# Of ten million rows, Keras' own Adam makes a step of a second, in more memory than many machines have.
LARGEST_OF_KERAS = 1_000_000

KERAS = "Keras' Adam"
WAYS: dict[str, tuple[Callable[..., keras.layers.Layer], Callable[[], keras.optimizers.Optimizer]]] = {
    KERAS: (keras.layers.Embedding, lambda: keras.optimizers.Adam(1e-3)),
    "LazyAdam": (LargeEmbedding, lambda: LazyAdam(1e-3)),
    "RowWiseAdagrad": (LargeEmbedding, lambda: RowWiseAdagrad(1e-2)),
}


def step_milliseconds(
    embedding: Callable[..., keras.layers.Layer],
    optimizer: Callable[[], keras.optimizers.Optimizer],
    num_rows: int,
) -> float:
    """Return the median time of a step, in ms."""
    keras.backend.clear_session()
    ids = keras.Input((IDS,), dtype="int32")
    hidden = keras.layers.Dense(64, "relu")(keras.layers.Flatten()(embedding(num_rows, WIDTH)(ids)))
    model = LookupModel(ids, keras.layers.Dense(1)(hidden))
    model.compile(optimizer(), "mse")
    random = np.random.default_rng(0)
    clock = _Clock()
    x = random.integers(0, num_rows, ((WARM_UP + STEPS) * BATCH, IDS), np.int32)
    y = np.ones((len(x), 1), np.float32)
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[clock])
    return 1000 * statistics.median(clock.seconds[WARM_UP:])


class _Clock(keras.callbacks.Callback):
    """Takes the time of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Mapping | None = None) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Mapping | None = None) -> None:
        float((logs or {})["loss"])  # waits for the step
        self.seconds.append(time.perf_counter() - self._start)


def lines() -> Iterator[Line]:
    """Yield the steps of each optimizer of core for each size, beside those of Keras where it was tried."""
    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for size in SIZES:
            for way, (embedding, optimizer) in WAYS.items():
                if way != KERAS or size <= LARGEST_OF_KERAS:
                    taken.setdefault((way, size), []).append(step_milliseconds(embedding, optimizer, size))
    for way, size in taken:
        if way != KERAS:
            times = statistics.median(taken[way, size]) / statistics.median(taken[way, SIZES[0]])
            yield Line(
                f"step over {size:,} rows of {WIDTH}, {way}, {keras.backend.backend()}",
                "ms",
                taken[way, size],
                KERAS,
                taken.get((KERAS, size), ()),
                note=f"{times:.2f} times that over {SIZES[0]:,} rows",
            )


if __name__ == "__main__":
    given(__doc__)
    print_table(list(lines()))

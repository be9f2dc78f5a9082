"""How long a training step takes as a table grows: Keras' Embedding and Adam beside those of core.

    python -m benchmarks.embeddings

A net on ten ids of a table of vectors of 64, batches of 1,024, one step at a time; ids are drawn evenly. Each
pair of optimizer and size is built anew in every round, by turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from core.layers import LargeEmbedding
from core.optimizers import LazyAdam, RowWiseAdagrad

WIDTH, IDS, BATCH = 64, 10, 1024
ROUNDS, STEPS, WARM_UP = 3, 20, 5
SIZES = (10_000, 1_000_000, 10_000_000)
# Of ten million rows, Keras' own Adam makes a step of a second, in more memory than many machines have.
LARGEST_OF_KERAS = 1_000_000

WAYS: dict[str, tuple[Callable[..., keras.layers.Layer], Callable[[], keras.optimizers.Optimizer]]] = {
    "keras Embedding, Adam": (keras.layers.Embedding, lambda: keras.optimizers.Adam(1e-3)),
    "LargeEmbedding, LazyAdam": (LargeEmbedding, lambda: LazyAdam(1e-3)),
    "LargeEmbedding, RowWiseAdagrad": (LargeEmbedding, lambda: RowWiseAdagrad(1e-2)),
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
    model = keras.Model(ids, keras.layers.Dense(1)(hidden))
    model.compile(optimizer(), "mse", jit_compile=False)
    model.make_train_function()
    random = np.random.default_rng(0)
    times = []
    for _ in range(WARM_UP + STEPS):
        batch = random.integers(0, num_rows, (BATCH, IDS), np.int32), np.ones((BATCH, 1), np.float32)
        source = iter(tf.data.Dataset.from_tensors(batch))
        start = time.perf_counter()
        np.asarray(model.train_function(source)["loss"])
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[WARM_UP:])


def main() -> None:
    """Print the median of the rounds, and their spread, for each way and size."""
    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for size in SIZES:
            for way, (embedding, optimizer) in WAYS.items():
                if way.startswith("keras") and size > LARGEST_OF_KERAS:
                    continue
                taken.setdefault((way, size), []).append(step_milliseconds(embedding, optimizer, size))
    print(f"ms a step, median of {ROUNDS} rounds (least to most), and in units of {SIZES[0]:,} rows")
    for way in WAYS:
        least = statistics.median(taken[way, SIZES[0]])
        for size in SIZES:
            if times := taken.get((way, size)):
                middle = statistics.median(times)
                print(
                    f"{way:32s}{size:>12,} rows {middle:8.1f} ({min(times):.1f} to {max(times):.1f})"
                    f"{middle / least:8.2f}"
                )


if __name__ == "__main__":
    main()

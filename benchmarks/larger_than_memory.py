r"""Trains on pictures that fit into memory and on ten times more than there is, and prints both.

It takes the memory that it finds, so run it where that is little: in a small machine or a container,
or on Linux in a scope, whose limit counts what the system caches of files too:

    systemd-run --user --scope -p MemoryMax=1536M -p MemorySwapMax=0 \
        python -m benchmarks.larger_than_memory FOLDER

The folder's disk needs twice the room of the larger data.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np

from apps.vision import classification
from core.data.larger_than_memory import SHARE, memory_bytes
from core.experiment import load_experiment
from core.run import Run
from core.training.evaluation import judged
from core.training.train import fitted, prepared

SIDE = 224
TEST = 1000
# Without the trial of precisions, which the smaller data are too few for.
OVERRIDES = ["width=16", "stride=4", "rotation=0", "shift=0", "validation=0.01", "fit.epochs=1"]
OVERRIDES += ["fit.precision=float32", "fit.jit_compile=false"]


def main() -> None:
    """Print a row of figures for each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="on a disk with room: the data are made and removed there")
    parser.add_argument("--times", type=float, default=10.0, help="memory, that the larger data are")
    parser.add_argument("--steps", type=int, default=200, help="of training, after which it is cut off")
    chosen = parser.parse_args()
    tempfile.tempdir = os.fspath(chosen.folder)
    memory = memory_bytes() / SHARE
    classification.RIVAL_EXAMPLES = 1000
    print(f"memory {memory / 1e9:.2f} GB, {held() / 1e9:.2f} of it held before any data", flush=True)
    for num_bytes in (memory_bytes() / 2, chosen.times * memory):
        folder = chosen.folder / "pictures"
        write_pictures(folder, int(num_bytes / SIDE**2))
        try:
            for name, value in trained(folder, chosen.steps).items():
                print(f"  {name:34} {value}", flush=True)
        finally:
            shutil.rmtree(folder)


def write_pictures(folder: Path, num_train: int) -> None:
    """Write idx files of noise that is lighter for one half of the classes than for the other."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for prefix, count in (("train", num_train), ("t10k", TEST)):
        labels = random.integers(0, 10, count, np.uint8)
        for kind, shape in (("images-idx3-ubyte", (count, SIDE, SIDE)), ("labels-idx1-ubyte", (count,))):
            with (folder / f"{prefix}-{kind}").open("wb") as file:
                file.write(bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes())
                if len(shape) == 1:
                    file.write(labels.tobytes())
                    continue
                for label in labels:
                    noise = np.frombuffer(random.bytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE)
                    file.write((noise >> 1) + np.uint8(12 * label))


def trained(folder: Path, steps: int) -> dict[str, Any]:
    """Return the figures of the whole way, from files to a judged run, its one epoch cut short."""
    experiment = load_experiment("vision/classification", [f"data={folder}", *OVERRIDES])
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place, Peak() as peak:
        run = Run.create(Path(place) / "run", experiment)
        splits, encoder = prepared(run, None, seconds)
        model, callbacks = fitted(run, splits, encoder, seconds, extra=[StopAfter(steps)])
        metrics = judged(run, model, encoder, splits, seconds, callbacks.throughput.summary())
    pictures = splits.train["image"]
    return {
        f"{len(pictures):,} pictures, GB": f"{pictures.nbytes / 1e9:.2f}",
        "lie": "on disk" if isinstance(pictures, np.memmap) else "in memory",
        "examples a second": f"{metrics['examples_per_second']:.0f}",
        "waiting for data": f"{metrics['data_wait_share']:.1%}",
        "own memory at its peak, GB": f"{peak.bytes / 1e9:.2f}",
        "test accuracy": f"{metrics['test']['accuracy']:.3f}",
        "rivals": ", ".join(metrics["baseline"]),
        "seconds": ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()),
    }


class StopAfter(keras.callbacks.Callback):
    """Ends a training after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Count the step."""
        self.model.stop_training = batch + 1 >= self.steps


class Peak:
    """The most memory that this process held within a block, without what it maps of files."""

    def __enter__(self) -> Peak:
        self.bytes, self.done = held(), threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.done.wait(0.05):
            self.bytes = max(self.bytes, held())


def held() -> int:
    """Return the bytes of memory that this process holds now, without what it maps of files; Linux only."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))


if __name__ == "__main__":
    main()

r"""Trains on clicks in Parquet that are streamed from disk, few and many rows, and prints speed and memory.

    python -m benchmarks.clicks_stream FOLDER --rows 1000000 10000000

The folder's disk needs some 200 bytes a row.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.larger_than_memory import Peak, held
from core.experiment import load_experiment
from core.training.train import train

PIECE = 250_000
NUMBERS, CATEGORIES, VALUES = 5, 10, 20_000
OVERRIDES = [
    "buckets=20000",
    "fit.epochs=1",
    "fit.batch_size=4096",
    "fit.patience=null",
    "fit.tensorboard=false",
]
OVERRIDES += ["validation=0.01", "test=0.02", "fit.jit_compile=false", "fit.steps_per_execution=1"]


def main() -> None:
    """Print a row of figures for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="on a disk with room: the data are made and removed there")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--override", nargs="*", default=[], help="of the configuration")
    chosen = parser.parse_args()
    tempfile.tempdir = os.fspath(chosen.folder)
    print(f"{held() / 1e9:.2f} GB held before any data", flush=True)
    for num_rows in chosen.rows:
        data = chosen.folder / f"clicks-{num_rows}"
        write_clicks(data, num_rows)
        try:
            for name, value in trained(data, [*OVERRIDES, *chosen.override]).items():
                print(f"  {name:30} {value}", flush=True)
        finally:
            shutil.rmtree(data)


def write_clicks(folder: Path, num_rows: int) -> None:
    """Write rows whose click depends on two categories and a number, in files of a piece each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "train").mkdir(parents=True)
    random = np.random.default_rng(0)
    effects = random.normal(size=(2, VALUES))
    for piece in range(-(-num_rows // PIECE)):
        size = min(PIECE, num_rows - piece * PIECE)
        ids = random.zipf(1.3, (CATEGORIES, size)) % VALUES
        numbers = random.gamma(2.0, 1.0, (NUMBERS, size))
        logit = effects[0, ids[0]] + effects[1, ids[1]] + numbers[0] - 4
        columns: dict[str, Any] = {f"number_{place}": column for place, column in enumerate(numbers)}
        columns |= {f"name_{place}": pa.array(column).cast(pa.string()) for place, column in enumerate(ids)}
        columns["click"] = (random.random(size) < 1 / (1 + np.exp(-logit))).astype(np.int8)
        pq.write_table(pa.table(columns), folder / "train" / f"{piece:05}.parquet")


def trained(data: Path, overrides: list[str]) -> dict[str, Any]:
    """Return the figures of the whole way, from files to a judged run."""
    experiment = load_experiment("recommendation/clicks", [f"data={data}", *overrides])
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as place, Peak() as peak:
        metrics = train(experiment, Path(place) / "run").metrics
    return {
        "rows": f"{sum(metrics['data'][part] for part in ('train', 'validation', 'test')):,}",
        "rows a second, training alone": f"{metrics['examples_per_second']:,.0f}",
        "waiting for data": f"{metrics['data_wait_share']:.1%}",
        "own memory at its peak, GB": f"{peak.bytes / 1e9:.2f}",
        "AUC": f"{metrics['test']['auc']:.4f}",
        "rivals": ", ".join(f"{name} {each['auc']:.4f}" for name, each in metrics["baseline"].items()),
        "seconds in all": f"{time.perf_counter() - start:.0f}",
        "seconds": ", ".join(f"{name} {value:.0f}" for name, value in metrics["seconds"].items()),
    }


if __name__ == "__main__":
    main()

"""Times a server on loopback beside the bare model: throughput and latency, each answer in seven checked.

    python -m benchmarks.serving RUN [RUN...]

The load comes from this process over keep-alive connections, on the same cores as the server.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import Any

from benchmarks.load_generator import Case, cases_of, load, served
from core.run import Run

CLIENTS, ROUNDS, SECONDS, BATCH = 64, 1, 5.0, 64
WAIT = 0.025  # the batching bound, seconds


def raw_rate(run: Run, cases: list[Case], seconds: float) -> tuple[float, float]:
    """Return the inputs a second of the bare task and of the bare model, in batches, without a server."""
    task = run.experiment.task
    predict = task.predictor(run.model, run.encoder)
    values = [case.raw for case in cases[:BATCH]]
    return BATCH / _seconds(lambda: predict(values), seconds), BATCH / _seconds(
        _model_call(run, values), seconds
    )


def _model_call(run: Run, values: list[Any]) -> Any:
    task: Any = run.experiment.task
    if task.accepts == "ratings":
        return lambda: task.predictor(run.model, run.encoder)(values)
    from core.data.feed import whole_batch

    x = whole_batch(task.features(task.read(values), run.encoder), lambda x, y: (task.prepare(x), y))
    return lambda: run.model.predict_on_batch(x)


def _seconds(call: Any, seconds: float) -> float:
    for _ in range(3):
        call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def throughput(folder: str) -> None:
    """Print the rates of the bare model, of a server one input at a time, and of a server that batches."""
    run = Run(folder)
    cases = cases_of(run)
    name = run.folder.name
    rows = []
    for _ in range(ROUNDS):
        task_rate, model_rate = raw_rate(run, cases, 2.0)
        with served([folder], "batching.size=1") as service:
            single = asyncio.run(load(service.port, name, cases, CLIENTS, SECONDS))
        with served([folder], f"batching.size={BATCH}", f"batching.wait={WAIT}") as service:
            asyncio.run(load(service.port, name, cases, CLIENTS, 1.0))
            batched = sorted(asyncio.run(load(service.port, name, cases, CLIENTS, SECONDS)))
        p50, p99 = (1000 * batched[int(share * len(batched))] for share in (0.5, 0.99))
        bound = 1000 * (2 * WAIT + BATCH / task_rate)
        rows.append((task_rate, model_rate, len(single) / SECONDS, len(batched) / SECONDS, p50, p99, bound))
        print(f"  {name}: " + ", ".join(f"{value:.0f}" for value in rows[-1]), flush=True)
    task_rate, model_rate, single_rate, rate, p50, p99, bound = (
        statistics.median(row) for row in zip(*rows, strict=True)
    )
    print(f"{name}, {CLIENTS} clients, median of {ROUNDS} rounds:")
    print(f"  bare task, batches of {BATCH}:    {task_rate:8.0f} inputs/s; model call alone {model_rate:.0f}")
    print(f"  server, one input at a time: {single_rate:8.0f} requests/s")
    print(
        f"  server, batched:             {rate:8.0f} requests/s: {rate / single_rate:.1f} times one at a "
        f"time, {rate / task_rate:.0%} of the bare task, {rate / model_rate:.0%} of the model call"
    )
    print(f"  latency: p50 {p50:.0f} ms, p99 {p99:.0f} ms; twice the bound and one batch: {bound:.0f} ms")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        throughput(folder)

"""Times a server on loopback beside the bare model: throughput and latency, each answer in seven checked.

    python -m benchmarks.serving RUN [RUN...]

The load comes from this process over keep-alive connections, on the same cores as the server: what a request
costs the clients, the server and the model is told apart in milliseconds of processor.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from benchmarks.load_generator import Case, cases_of, load, served
from benchmarks.table import given
from core.run import Run

CLIENTS, ROUNDS, SECONDS, BATCH = 64, 3, 6.0, 64
RAW_SECONDS, WAIT = 2.0, 0.025  # of the bare calls; the batching bound


class Rate(NamedTuple):
    """How fast something answers.

    Args:
        per_second: Inputs, by the clock.
        processor_ms: Milliseconds on a processor an input, which other work on the machine hardly changes.
    """

    per_second: float
    processor_ms: float

    def __str__(self) -> str:
        return f"{self.per_second:8.0f} inputs/s, {self.processor_ms:6.2f} ms of processor an input"


def raw_rates(run: Run, cases: list[Case]) -> tuple[Rate, Rate]:
    """Return the rates of the bare task and of the bare model, in batches, without a server."""
    task = run.experiment.task
    predict = task.predictor(run.model, run.encoder)
    values = [case.raw for case in cases[:BATCH]]
    return rate_of_calls(lambda: predict(values)), rate_of_calls(_model_call(run, values))


def _model_call(run: Run, values: list[Any]) -> Any:
    task: Any = run.experiment.task
    if not hasattr(task, "features"):
        predict = task.predictor(run.model, run.encoder)
        return lambda: predict(values)
    from core.data.feed import whole_batch

    x = whole_batch(task.features(task.read(values), run.encoder), lambda x, y: (task.prepare(x), y))
    return lambda: run.model.predict_on_batch(x)


def rate_of_calls(call: Callable[[], Any]) -> Rate:
    """Return the rate of a call with a whole batch."""
    for _ in range(3):
        call()
    times, start, spent = [], time.perf_counter(), time.process_time()
    while time.perf_counter() < start + RAW_SECONDS:
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
    inputs = BATCH * len(times)
    return Rate(BATCH / statistics.median(times), 1000 * (time.process_time() - spent) / inputs)


class Served(NamedTuple):
    """What a server did for its clients.

    Args:
        rate: Of its answers.
        client_ms: Milliseconds on a processor that the clients spent on a request.
        latencies: In milliseconds, sorted.
    """

    rate: Rate
    client_ms: float
    latencies: list[float]


def rate_of_server(folder: str | None, cases: list[Case], *settings: str) -> Served:
    """Return what a server of a run does under load, or an empty one, in processes of their own."""
    gc.collect()
    gc.freeze()  # else collections of this process look like slow answers
    with served([folder] if folder else [], *settings) as service:
        name = Run(folder).folder.name if folder else "none"
        asyncio.run(load(service.port, name, cases, CLIENTS, 1.0))
        spent, own = service.processor_seconds(), time.process_time()
        latencies = asyncio.run(load(service.port, name, cases, CLIENTS, SECONDS))
        spent, own = service.processor_seconds() - spent, time.process_time() - own
    rate = Rate(len(latencies) / SECONDS, 1000 * spent / len(latencies))
    return Served(rate, 1000 * own / len(latencies), sorted(1000 * latency for latency in latencies))


def throughput(folder: str) -> None:
    """Print the rates of the bare model, of servers: empty, one input at a time, and one that batches."""
    run = Run(folder)
    cases = cases_of(run)
    rounds = []
    empty = [replace(case, answer={}) for case in cases]
    for _ in range(ROUNDS):
        task, model = raw_rates(run, cases)
        http = rate_of_server(None, empty)
        single = rate_of_server(folder, cases, "batching.size=1")
        batched = rate_of_server(folder, cases, f"batching.size={BATCH}", f"batching.wait={WAIT}")
        p50, p99 = (batched.latencies[int(share * len(batched.latencies))] for share in (0.5, 0.99))
        rounds.append((task, model, http.rate, single.rate, batched.rate, p50, p99, batched.client_ms))
    task, model, http_rate, single_rate, batched_rate = (
        Rate(*map(statistics.median, zip(*(each[place] for each in rounds), strict=True)))
        for place in range(5)
    )
    p50, p99, client = (statistics.median(each[place] for each in rounds) for place in (5, 6, 7))
    print(f"{run.folder.name}, {CLIENTS} clients, medians of {ROUNDS} rounds")
    print(f"  bare task, batches of {BATCH}      {task}")
    print(f"  model call alone            {model}")
    print(f"  empty server, same requests {http_rate}")
    print(f"  server, one input at a time {single_rate}")
    print(f"  server, batched             {batched_rate}")
    print(f"  clients                     {client:.2f} ms of processor a request")
    print(
        f"  batched is {batched_rate.per_second / single_rate.per_second:.1f} times one at a time, "
        f"{batched_rate.per_second / task.per_second:.0%} of the bare task, "
        f"{batched_rate.per_second / model.per_second:.0%} of the model call"
    )
    bound = 1000 * (2 * WAIT + BATCH / task.per_second)
    print(
        f"  latency p50 {p50:.0f} ms, p99 {p99:.0f} ms; twice the bound and one batch {bound:.0f} ms",
        flush=True,
    )


if __name__ == "__main__":
    for folder in given(__doc__, "RUN", nargs="+"):
        throughput(folder)

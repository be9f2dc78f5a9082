"""What a server counts, for Prometheus."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from core.serving.served import ServedRun

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Measurements:
    """Counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "quartet_requests", "Requests answered", ["route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "quartet_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=self.registry
        )
        # What each route counts with, found once; there are as many as routes and statuses.
        self._answers = functools.cache(self._requests.labels)
        self._times = functools.cache(self._seconds.labels)
        self._under_way = Gauge("quartet_requests_under_way", "Requests under way", registry=self.registry)
        self._sizes = Histogram(
            "quartet_batch_inputs", "Inputs in a batch", ["run"], buckets=SIZES, registry=self.registry
        )
        self._batch_seconds = Histogram(
            "quartet_batch_seconds", "Time of a batch", ["run"], buckets=SECONDS, registry=self.registry
        )
        self._reloads = Counter(
            "quartet_reloads", "Times a newer run was taken", ["run"], registry=self.registry
        )
        self._waiting = Gauge("quartet_waiting_inputs", "Inputs that wait", ["run"], registry=self.registry)

    def request_begins(self) -> None:
        """Count a request as under way."""
        self._under_way.inc()

    def request_ends(self, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            route: A template of a path, never a path as it was sent, of which there may be any number.
            status: Of HTTP.
            seconds: That it took.
        """
        self._under_way.dec()
        self._answers(route, status).inc()
        self._times(route).observe(seconds)

    def observer(self, run: str) -> Callable[[int, float], None]:
        """Return what counts the batches of a run."""
        sizes, batch_seconds = self._sizes.labels(run), self._batch_seconds.labels(run)

        def observe(size: int, seconds: float) -> None:
            sizes.observe(size)
            batch_seconds.observe(seconds)

        return observe

    def reloaded(self, run: str) -> None:
        """Count that a newer run was taken."""
        self._reloads.labels(run).inc()

    def text(self, runs: Mapping[str, ServedRun]) -> bytes:
        """Return everything in the text format of Prometheus."""
        for name, served in runs.items():
            self._waiting.labels(name).set(len(served.current.batcher) if served.current else 0)
        return generate_latest(self.registry)

"""How long the Keras model and its exports take for the same raw inputs, by turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

BATCHES = (1, 32)
ROUNDS, WARM_UP = 30, 3
SECONDS = 3.0  # for all rounds of one batch size and one predictor, about

Predict = Callable[[list[Any]], Any]


def milliseconds(predictors: Mapping[str, Predict], raw: Sequence[Any]) -> dict[str, dict[str, float]]:
    """Return the median time from raw inputs to answers, in ms: name to batch size to time.

    Args:
        predictors: By name; in each round all have their turn.
        raw: At least one input; they are repeated where a batch is larger.
    """
    times: dict[str, dict[str, float]] = {name: {} for name in predictors}
    for size in BATCHES:
        batches = [_batch(raw, size, index) for index in range(ROUNDS)]
        taken: dict[str, list[float]] = {name: [] for name in predictors}
        for index in range(-WARM_UP, ROUNDS):
            for name, predict in predictors.items():
                if sum(taken[name]) > SECONDS:
                    continue
                start = time.perf_counter()
                predict(batches[index % ROUNDS])
                if index >= 0:
                    taken[name].append(time.perf_counter() - start)
        for name, seconds in taken.items():
            times[name][str(size)] = round(1000 * statistics.median(seconds), 3)
    return times


def _batch(raw: Sequence[Any], size: int, index: int) -> list[Any]:
    return [raw[(index * size + place) % len(raw)] for place in range(size)]

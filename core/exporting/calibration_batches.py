"""What each graph of an export is given while its loader answers, to take the ranges of activations from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from core.exporting.runtime import Arrays, Graph

LARGEST_NUM_BATCHES = 64  # of one graph: a step of decoding is called very often


def calibration_batches(predictor: Any, blocks: Sequence[Sequence[Any]]) -> dict[str, list[Arrays]]:
    """Return what each graph takes while raw inputs are answered, so the states are those of real decoding.

    Args:
        predictor: A loader, opened on an export whose weights are not quantised.
        blocks: Batches of raw inputs.

    Returns:
        Name of a graph to batches, a fair sample of at most 64 where there were more.

    Example:

    >>> calibration_batches(predictor, [["a lovely film"]])["model"]  # doctest: +SKIP
    [{'ids': array([[5, 2, 9]], dtype=int32)}]
    """
    heard: dict[str, list[Arrays]] = {}
    with _listening(heard):
        for block in blocks:
            predictor.outputs(block)
    return heard


@contextmanager
def _listening(heard: dict[str, list[Arrays]]) -> Iterator[None]:
    """Keep a sample of the calls of all graphs: each call of one is as likely to be kept as any other."""
    generator, counts = np.random.default_rng(0), dict[str, int]()

    def listen(name: str, inputs: Arrays) -> None:
        batches, count = heard.setdefault(name, []), counts.get(name, 0)
        counts[name] = count + 1
        copied = {each: np.array(array) for each, array in inputs.items()}
        if len(batches) < LARGEST_NUM_BATCHES:
            batches.append(copied)
        elif (place := int(generator.integers(count + 1))) < LARGEST_NUM_BATCHES:
            batches[place] = copied

    before, Graph.listener = Graph.listener, listen
    try:
        yield
    finally:
        Graph.listener = before

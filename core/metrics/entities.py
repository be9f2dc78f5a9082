"""Entity F1: spans and types that must both be right, accumulated as counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

Span = tuple[str, int, int]


def entities_of(tags: Sequence[str], strict: bool = True) -> set[Span]:
    """Return the entities of a sentence as `(type, first, last)`.

    Args:
        tags: Such as `B-PER`, `I-PER`, `E-PER`, `S-PER`, `O`.
        strict: An entity begins with `B` or `S` alone. Otherwise `I` after another type or after `O` begins
            one too, as in the CoNLL evaluation script.

    Example:

    >>> sorted(entities_of(["B-PER", "I-PER", "O", "I-LOC"]))
    [('PER', 0, 1)]
    >>> sorted(entities_of(["B-PER", "I-PER", "O", "I-LOC"], strict=False))
    [('LOC', 3, 3), ('PER', 0, 1)]
    """
    found: set[Span] = set()
    kind, first = "", -1
    for place, tag in enumerate([*tags, "O"]):
        mark, _, name = tag.partition("-")
        goes_on = mark in ("I", "E") and name == kind
        if kind and not goes_on:
            found.add((kind, first, place - 1))
            kind = ""
        if mark in ("B", "S") or (mark in ("I", "E") and not goes_on and not strict):
            kind, first = name, place
        if kind and mark in ("E", "S"):
            found.add((kind, first, place))
            kind = ""
    return found


@keras.saving.register_keras_serializable(package="quartet")
class EntityF1(keras.metrics.Metric):
    """Micro F1 of entities: exact boundaries and the exact type, over all sentences.

    It reads tags as strings, so it can't be compiled into a model: update it outside the graph, on any
    backend.

    Args:
        strict: As in `entities_of`.
        name: Of the metric.
        dtype: Of the result.

    Source: Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task (2003), section 2.3.

    Example:

    >>> metric = EntityF1()
    >>> metric.update_state([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "O"]])
    >>> round(float(metric.result()), 4)
    0.6667
    """

    def __init__(self, strict: bool = True, name: str = "entity_f1", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.strict = strict
        for count in ("hits", "expected", "received"):
            setattr(self, count, self.add_variable((), "zeros", dtype="int32", name=count))

    def update_state(
        self, y_true: Sequence[Sequence[str]], y_pred: Sequence[Sequence[str]], sample_weight: Any = None
    ) -> None:
        """Count a batch of sentences.

        Args:
            y_true: The tags of each sentence.
            y_pred: As many tags for each.
            sample_weight: Sentences with weight 0 are left out, all others count once.

        Raises:
            ValueError: A sentence has not as many predicted tags as true ones.
        """
        kept = np.ones(len(y_true), bool) if sample_weight is None else np.asarray(sample_weight) != 0
        for expected_tags, received_tags, keep in zip(y_true, y_pred, kept, strict=True):
            if len(expected_tags) != len(received_tags):
                raise ValueError(
                    "A sentence must have as many predicted tags as true ones. "
                    f"Received: {len(received_tags)} for {len(expected_tags)}."
                )
            if keep:
                expected, received = (
                    entities_of(tags, self.strict) for tags in (expected_tags, received_tags)
                )
                self.hits.assign_add(len(expected & received))
                self.expected.assign_add(len(expected))
                self.received.assign_add(len(received))

    def result(self) -> Any:
        """Return the F1 of all that was counted, a scalar between 0 and 1."""
        both = ops.cast(self.expected + self.received, "float32")
        return ops.divide_no_nan(2 * ops.cast(self.hits, "float32"), both)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "strict": self.strict}

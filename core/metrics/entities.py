"""Entity F1: spans and types that must both be right, accumulated as counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

Span = tuple[str, int, int]
MARKS = {
    "iob1": ("B", "I"),
    "bioes": ("B", "I", "E", "S"),
    "bmes": ("B", "M", "E", "S"),
    "iob2": ("B", "I"),
    "iobes": ("B", "I", "E", "S"),
    "conll": ("B", "I", "E", "S"),
}
ENDED = ("bioes", "bmes", "iobes")  # schemes whose entities have a mark at their end


def entities_of(tags: Sequence[str], scheme: str = "iob2") -> set[Span]:
    """Return the entities of a sentence as `(type, first, last)`.

    Args:
        tags: `O`, and a mark with a type, such as `B-PER`.
        scheme: `iob2` (an entity begins with `B` and goes on with `I`), `iob1` (it is of `I` alone; `B` only
            divides it from one of its type right before), `iobes` or `bioes` (it also ends with `E`, or is
            an `S` alone), `bmes` (the same, with `M` for `I`), all as strict as seqeval's strict mode: what
            breaks the rule is no entity. With `conll`, `I` or `E` after another type or after `O` begins one
            too, and none need be ended, as in the evaluation script of CoNLL.

    Raises:
        ValueError: The scheme does not exist, or a tag is not of it.

    Example:

    >>> sorted(entities_of(["B-PER", "I-PER", "O", "I-LOC"]))
    [('PER', 0, 1)]
    >>> sorted(entities_of(["B-PER", "I-PER", "O", "I-LOC"], scheme="conll"))
    [('LOC', 3, 3), ('PER', 0, 1)]
    """
    marks = _marks(scheme)
    spans: set[Span] = set()
    kind, first = None, -1
    before = ("O", "")
    for place, tag in enumerate([*tags, "O"]):
        mark, _, name = tag.partition("-")
        if tag != "O" and mark not in marks:
            raise ValueError(
                f"A tag of the scheme {scheme!r} is O or one of {', '.join(marks)} and a type. "
                f"Received: {tag!r} in {list(tags)[:10]}."
            )
        goes_on = name == kind and mark in ("I", "M", "E")
        if kind is not None and not goes_on:
            # In IOB1 a `B` may only follow its own type, and one that does not ends no other `B` either.
            ended = scheme != "iob1" or (before[0], mark) != ("B", "B") or before[1] == name
            if scheme not in ENDED and ended:
                spans.add((kind, first, place - 1))
            kind = None
        if not goes_on and _begins(mark, name, before, scheme):
            kind, first = name, place
        if kind is not None and mark in ("E", "S"):
            spans.add((kind, first, place))
            kind = None
        before = (mark, name)
    return spans


def _begins(mark: str, name: str, before: tuple[str, str], scheme: str) -> bool:
    """Return whether a tag that does not go on with an entity begins one."""
    if scheme == "iob1":
        return mark == "I" or (mark == "B" and before[0] != "O" and before[1] == name)
    return mark in ("B", "S") or (scheme == "conll" and mark in ("I", "E"))


def _marks(scheme: str) -> tuple[str, ...]:
    if scheme not in MARKS:
        raise ValueError(f"scheme must be one of {', '.join(MARKS)}. Received: scheme={scheme!r}.")
    return MARKS[scheme]


@keras.saving.register_keras_serializable(package="quartet")
class EntityF1(keras.metrics.Metric):
    """Micro F1 of entities: exact boundaries and the exact type, over all sentences.

    It reads tags as strings, so it can't be compiled into a model: update it outside the graph, on any
    backend.

    Args:
        scheme: As in `entities_of`.
        name: Of the metric.
        dtype: As every metric of Keras takes it; the result is a Python float.

    Source: Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task (2003), section 2.3.

    Example:

    >>> metric = EntityF1()
    >>> metric.update_state([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "O", "O"]])
    >>> round(metric.result(), 4)
    0.6667
    """

    def __init__(self, scheme: str = "iob2", name: str = "entity_f1", dtype: str | None = None) -> None:
        _marks(scheme)
        super().__init__(name=name, dtype=dtype)
        self.scheme = scheme
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all sentences."""
        # For each type: entities rightly predicted, predicted, and true.
        self._counts: dict[str, np.ndarray] = {}

    def update_state(
        self, y_true: Sequence[Sequence[str]], y_pred: Sequence[Sequence[str]], sample_weight: Any = None
    ) -> None:
        """Count a batch of sentences.

        Args:
            y_true: The tags of each sentence.
            y_pred: As many tags for each.
            sample_weight: Of each sentence.

        Raises:
            ValueError: A sentence has not as many predicted tags as true ones, or a tag is not of the scheme.
        """
        weights = np.ones(len(y_true)) if sample_weight is None else np.reshape(sample_weight, -1)
        for true_tags, predicted_tags, weight in zip(y_true, y_pred, weights, strict=True):
            if len(true_tags) != len(predicted_tags):
                raise ValueError(
                    "A sentence must have as many predicted tags as true ones. "
                    f"Received: {len(predicted_tags)} for {len(true_tags)}."
                )
            true, predicted = (entities_of(tags, self.scheme) for tags in (true_tags, predicted_tags))
            for column, entities in enumerate((true & predicted, predicted, true)):
                for kind, _, _ in entities:
                    self._counts.setdefault(kind, np.zeros(3))[column] += weight

    def result(self) -> float:
        """Return the F1 of all that was counted, from 0 to 1."""
        return _figures(sum(self._counts.values(), np.zeros(3)))["f1"]

    def per_type(self) -> dict[str, dict[str, float]]:
        """Return `precision`, `recall`, `f1` and `support`, the weight of the true entities, of each type."""
        return {kind: _figures(counts) for kind, counts in sorted(self._counts.items())}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "scheme": self.scheme}


def _figures(counts: np.ndarray) -> dict[str, float]:
    hits, predicted, true = counts.tolist()
    return {
        "precision": hits / predicted if predicted else 0.0,
        "recall": hits / true if true else 0.0,
        "f1": 2 * hits / (predicted + true) if predicted + true else 0.0,
        "support": true,
    }

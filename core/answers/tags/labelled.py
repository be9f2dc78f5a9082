"""Tagged sentences of which each has a label too, such as what a request is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.rows import Direction
from core.answers.tags.tags import Sentence, Tags

if TYPE_CHECKING:
    from core.answers.calibration import Calibration

MOST_PAIRS = 10


class LabelledTags(Tags):
    """What was said of the words of each sentence and of the whole of it, and what is true.

    A row is that of `Tags`, with the true `label` and the `predicted_label`. A sentence is right if its label
    and all its entities are.

    Args:
        sentences: At least one.
        labels: The true label and the predicted one of each.

    Example:

    >>> row = {"words": ["hi"], "true": ["O"], "predicted": ["O"], "label": "greet", "predicted_label": "ask"}
    >>> figures = LabelledTags.from_rows([row]).statistics(np.arange(1))
    >>> figures["label_accuracy"], figures["sentence_accuracy"]
    (0.0, 0.0)
    """

    kind: ClassVar[str] = "labelled_tags"
    figures: ClassVar[Mapping[str, Direction]] = {
        "entity_f1": "max",
        "label_accuracy": "max",
        "sentence_accuracy": "max",
        "precision": "max",
        "recall": "max",
        "macro_f1": "max",
    }

    def __init__(self, sentences: Sequence[Sentence], labels: Sequence[tuple[str, str]]) -> None:
        super().__init__(sentences)
        self.labels = labels
        self._named = np.array([true == predicted for true, predicted in labels])
        self._truth = np.asarray(
            [f"{label}\n{tags}" for (label, _), tags in zip(labels, self._truth.tolist(), strict=True)]
        )
        self._right = self._right & self._named
        self._num_errors = self._num_errors + ~self._named

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> LabelledTags:
        """Read rows with `words`, `true`, `predicted`, `label` and `predicted_label`."""
        sentences, labels = [], []
        for row in rows:
            sentences.append(Sentence(row))
            labels.append((str(row["label"]), str(row["predicted_label"])))
        return cls(sentences, labels)

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the sentences at these indices, each as often as it stands there."""
        figures = {**super().statistics(rows), "label_accuracy": float(self._named[rows].mean())}
        return {name: figures[name] for name in self.figures}

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        confused = Counter(pair for pair in self.labels if pair[0] != pair[1])
        true = Counter(label for label, _ in self.labels)
        right = Counter(label for label, predicted in self.labels if label == predicted)
        return {
            **super().details(calibration),
            "labels": {
                "right": int(self._named.sum()),
                "confused": [
                    {"true": one, "predicted": other, "count": count}
                    for (one, other), count in confused.most_common(MOST_PAIRS)
                ],
                "recall": {
                    label: {"recall": right[label] / count, "support": count}
                    for label, count in true.most_common()
                },
            },
        }

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return what is wrong in a sentence and with its label, in words."""
        label, predicted = row["label"], row["predicted_label"]
        told = f"“{label}”" if label == predicted else f"“{label}” taken for “{predicted}”"
        return f"{told}; {super().said(row)}"

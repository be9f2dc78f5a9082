"""Tagged sentences beside the truth: entities found, missed and invented, and what is taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.kind import Answers, Table, Tree
from core.answers.rows import Direction
from core.answers.significance import difference_p
from core.answers.tags.entities import ERRORS, Entity, entities_of, errors_between, spans_of
from core.answers.tags.findings import findings
from core.answers.tags.pictures import pictures
from core.shown import Item, Mark, items_of, tone_of
from core.wording import counted, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

SCHEME = "iob2"
MOST_PAIRS = 10
HITS, PREDICTED, TRUE = range(3)


class Sentence:
    """One sentence: its true and its predicted entities.

    Args:
        row: As `evaluate` wrote it.

    Raises:
        ValueError: It has not as many tags as words, or a tag is not of its scheme.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        words, true, predicted = row["words"], row["true"], row["predicted"]
        if not len(words) == len(true) == len(predicted):
            raise ValueError(
                "A sentence has a true and a predicted tag for each word. "
                f"Received: {len(words)} words, {len(true)} true and {len(predicted)} predicted tags."
            )
        scheme = row.get("scheme", SCHEME)
        self.tags = " ".join(true)
        self.true = entities_of(true, scheme)
        self.predicted = entities_of(predicted, scheme)
        self.hits = set(self.true) & set(self.predicted)
        self.errors = errors_between(self.true, self.predicted)
        self.seen: list[bool] | None = row.get("seen")
        self.places = [(row.get("row"), *entity) for entity in self.true]


class Tags(Answers):
    """What a tagger said of the words of each sentence and what is true.

    A row has `words`, `true` and `predicted` tags, of the scheme that `scheme` names (IOB2 by default). It
    may have the `text` as it was written, and `seen`: whether each true entity, in order, stood in the
    training part. An entity is right if its words and its type are, as in the shared task of CoNLL-2003.

    Args:
        sentences: At least one.

    Raises:
        ValueError: A sentence has not as many tags as words, or a tag is not of its scheme.

    Example:

    >>> rows = [{"words": ["Ann", "left"], "true": ["B-PER", "O"], "predicted": ["B-PER", "B-LOC"]}]
    >>> Tags.from_rows(rows).statistics(np.arange(1))["precision"]
    0.5
    """

    kind: ClassVar[str] = "tags"
    mistakes_title: ClassVar[str] = "The sentences with most mistakes"
    figures: ClassVar[Mapping[str, Direction]] = {
        "entity_f1": "max",
        "precision": "max",
        "recall": "max",
        "macro_f1": "max",
        "sentence_accuracy": "max",
    }

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        every = [entity for sentence in sentences for entity in [*sentence.true, *sentence.predicted]]
        self.types = sorted({entity.type for entity in every})
        self._truth = np.asarray([sentence.tags for sentence in sentences])
        self._num_errors = np.array([len(sentence.errors) for sentence in sentences])
        self._right = np.array([not sentence.errors for sentence in sentences])
        self._entries = [
            self._counted_entries([list(getattr(sentence, name)) for sentence in sentences])
            for name in ("hits", "predicted", "true")
        ]
        self._errors = Counter(
            (error, true and true.type, predicted and predicted.type)
            for sentence in sentences
            for error, true, predicted in sentence.errors
        )
        self._seen = self._by_seen(sentences)

    def _counted_entries(self, entities: Sequence[Sequence[Entity]]) -> tuple[np.ndarray, np.ndarray]:
        """Return the sentence and the type of every entity, int, each of shape `(num_entities,)`."""
        place = {name: index for index, name in enumerate(self.types)}
        pairs = [(row, place[entity.type]) for row, each in enumerate(entities) for entity in each]
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    @staticmethod
    def _by_seen(sentences: Sequence[Sentence]) -> dict[bool, list[bool]] | None:
        """Return whether each entity was found, of those seen in the training part and of the others."""
        if any(sentence.seen is None for sentence in sentences):
            return None
        hits_by_seen: dict[bool, list[bool]] = {True: [], False: []}
        for sentence in sentences:
            for entity, seen in zip(sentence.true, sentence.seen or (), strict=True):
                hits_by_seen[bool(seen)].append(entity in sentence.hits)
        return hits_by_seen

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Tags:
        """Read rows with `words`, `true` and `predicted`."""
        return cls([Sentence(row) for row in rows])

    def __len__(self) -> int:
        return len(self._truth)

    @property
    def truth(self) -> np.ndarray:
        """The true tags of each sentence: two runs can be paired where these are equal."""
        return self._truth

    @property
    def right(self) -> np.ndarray:
        """Whether each sentence has all its entities and no others, bool."""
        return self._right

    @property
    def losses(self) -> np.ndarray:
        """1 for each sentence with a mistake, else 0."""
        return 1.0 - self._right

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the share of sentences that are right, by which slices are compared."""
        return 1.0 - mean_loss

    @classmethod
    def figure(cls) -> str:
        """Return the figure of slices: that of sentences, since F1 is no mean over them."""
        return "sentence_accuracy"

    def _counts(self, weights: np.ndarray) -> np.ndarray:
        """Return the hits, predicted and true entities of each type, shape `(3, num_types)`."""
        return np.array(
            [
                np.bincount(types, weights=weights[sentences], minlength=len(self.types))
                for sentences, types in self._entries
            ]
        )

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the sentences at these indices, each as often as it stands there."""
        counts = self._counts(np.bincount(rows, minlength=len(self)).astype(np.float64))
        precision, recall, f1 = _scores(counts.sum(axis=1))
        present = counts.sum(axis=0) > 0
        return {
            "entity_f1": float(f1),
            "precision": float(precision),
            "recall": float(recall),
            "macro_f1": float(_scores(counts[:, present])[2].mean()) if present.any() else 0.0,
            "sentence_accuracy": float(self._right[rows].mean()),
        }

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the sentences with most mistakes, worst first."""
        wrong = np.flatnonzero(self._num_errors)
        return wrong[np.argsort(-self._num_errors[wrong], kind="stable")[:count]]

    def per_type(self) -> dict[str, dict[str, Any]]:
        """Return precision, recall, F1 and the number of true and predicted entities of each type."""
        counts = self._counts(np.ones(len(self)))
        columns = np.array(_scores(counts)).T.tolist()
        return {
            name: {
                "precision": scores[0],
                "recall": scores[1],
                "f1": scores[2],
                "support": int(counts[TRUE, place]),
                "predicted": int(counts[PREDICTED, place]),
            }
            for place, (name, scores) in enumerate(zip(self.types, columns, strict=True))
        }

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        hits, predicted, true = (int(total) for total in self._counts(np.ones(len(self))).sum(axis=1))
        by_error = Counter[str]()
        for (error, _, _), count in self._errors.items():
            by_error[error] += count
        return {
            "types": self._types(),
            "entities": {"right": hits, "predicted": predicted, "true": true},
            "errors": {error: by_error[error] for error in ERRORS},
            "confused": self._confused(),
            "mistakes": int(self._num_errors.sum()),
            "sentences": len(self),
            "sentences_wrong": int((~self._right).sum()),
            "seen": self._recall_by_seen(),
        }

    def _types(self) -> dict[str, dict[str, Any]]:
        """Return each type with its figures, its errors, and how likely chance alone sets it apart."""
        from scipy.stats import false_discovery_control

        rows = self.per_type()
        hits, _, true = self._counts(np.ones(len(self)))
        for place, (name, row) in enumerate(rows.items()):
            errors = dict.fromkeys(ERRORS, 0)
            for (error, of, said), count in self._errors.items():
                if name == (of or said):
                    errors[error] += count
            row["errors"] = errors
            own = _answered(hits[place], true[place])
            rest = _answered(hits.sum() - hits[place], true.sum() - true[place])
            row["p"] = difference_p(own, rest) if len(own) and len(rest) else 1.0
            row["others_recall"] = float(rest.mean()) if len(rest) else None
        corrected = false_discovery_control([row["p"] for row in rows.values()]) if rows else []
        for row, p in zip(rows.values(), corrected, strict=True):
            row["p"] = float(p)
        return rows

    def _confused(self) -> list[dict[str, Any]]:
        """Return the types that are most often said for another, with the right words."""
        pairs = [
            {"true": true, "predicted": predicted, "count": count}
            for (error, true, predicted), count in self._errors.items()
            if error == "wrong type"
        ]
        return sorted(pairs, key=lambda pair: (-int(pair["count"] or 0), str(pair["true"])))[:MOST_PAIRS]

    def _recall_by_seen(self) -> dict[str, Any] | None:
        if self._seen is None:
            return None
        seen, unseen = (np.array(self._seen[key], np.float64) for key in (True, False))
        return {
            "seen": len(seen),
            "unseen": len(unseen),
            "recall_seen": float(seen.mean()) if len(seen) else None,
            "recall_unseen": float(unseen.mean()) if len(unseen) else None,
            "p": difference_p(seen, unseen) if len(seen) and len(unseen) else 1.0,
        }

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return the table of types, where `evaluate` gives one as `per_type`."""
        per_type = figures.get("per_type")
        if not per_type:
            return None
        header = list(next(iter(per_type.values())))
        return Table(
            "", ["type", *header], [[name, *map(number, row.values())] for name, row in per_type.items()]
        )

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the sentence twice, with its true and with its predicted entities marked."""
        readings = [_marked_item(name, row) for name in ("true", "predicted")]
        own = {row.get("text"), " ".join(row["words"])}
        others = {
            name: value
            for name, value in example.items()
            if isinstance(value, str) and name not in row and value not in own
        }
        return [*items_of(others), *readings, Item("answer", "text", cls.said(row))]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return what is wrong in a sentence, in words."""
        counts = Counter(error for error, *_ in Sentence(row).errors)
        place = f" (row {row['row']} of test)" if "row" in row else ""
        if not counts:
            return f"all right{place}"
        listed_errors = ", ".join(f"{error} {counts[error]}" for error in ERRORS if counts[error])
        return f"{counted(sum(counts.values()), 'mistake')}: {listed_errors}{place}"

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def _scores(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return precision, recall and F1 from counts whose first axis is hits, predicted and true."""
    hits, predicted, true = counts
    return (
        hits / np.maximum(predicted, 1),
        hits / np.maximum(true, 1),
        2 * hits / np.maximum(predicted + true, 1),
    )


def _answered(hits: float, total: float) -> np.ndarray:
    """Return 1 for each of the entities that were found, 0 for the others."""
    return np.arange(int(total)) < hits


def _marked_item(name: str, row: Mapping[str, Any]) -> Item:
    words, scheme, written = row["words"], row.get("scheme", SCHEME), row.get("text")
    spans = spans_of(words, row[name], scheme, written)
    if name == "predicted" and written is not None and "spans" in row:
        spans = sorted(row["spans"], key=lambda span: span["start"])
    marks = (Mark(span["start"], span["end"], span["type"], tone_of(span["type"])) for span in spans)
    text = written if written is not None else " ".join(words)
    return Item(name, "marked", text, tuple(marks))

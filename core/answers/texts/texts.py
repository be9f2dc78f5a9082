"""Generated texts beside references: translations, transcripts, replies, summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from core.answers.kind import Answers, Tree
from core.answers.rows import Direction
from core.answers.texts.differences import FAULTS, differences, faults_of, nearest, num_words
from core.answers.texts.findings import findings
from core.answers.texts.measures import MEASURES
from core.answers.texts.pictures import pictures
from core.shown import Item

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

NUM_LEVELS = 4
LONGEST = 1500  # characters of a text that a report shows


class Texts(Answers):
    """What was written for each example and what people wrote: translations, replies, summaries.

    A row has the `true` texts of people, one or several, and the `predicted` one; it may have the `source` as
    text. A kind that is judged otherwise names other `figures`, of those in `measures.MEASURES`; all are made
    of sums of counts, so those of a resample are exact.

    Args:
        predicted: One text an example.
        references: Those of people, of each example.
        sources: What each was made from; nothing where that is no text.

    Raises:
        ValueError: A text has no reference, and a figure needs one.

    Example:

    >>> rows = [{"true": ["the cat sat on a mat"], "predicted": "the cat sat on the mat"}]
    >>> round(Texts.from_rows(rows).statistics(np.arange(1))["bleu"], 2)
    53.73
    """

    kind: ClassVar[str] = "texts"
    mistakes_title: ClassVar[str] = "The worst texts"
    figures: ClassVar[Mapping[str, Direction]] = {"bleu": "max", "chrf": "max"}

    def __init__(
        self, predicted: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str | None]
    ) -> None:
        measured = [name for name in self.figures if name in MEASURES]  # others are told by more than texts
        needed = [name for name in measured if MEASURES[name].needs_references]
        bare = next((place for place, each in enumerate(references) if not each), None)
        if needed and bare is not None:
            raise ValueError(
                f"A text is judged by {needed[0]} beside a true one; for texts that have none there is "
                f"`FreeTexts`. Received: none in row {bare}."
            )
        self.predicted = list(predicted)
        self.references = [list(each) for each in references]
        pairs = list(zip(self.predicted, self.references, strict=True))
        self._counts = {name: np.stack([MEASURES[name].counts(*pair) for pair in pairs]) for name in measured}
        self._faults = [faults_of(*pair, source) for pair, source in zip(pairs, sources, strict=True)]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Read rows with `true`, a list of texts, and `predicted`."""
        table = [(row["predicted"], row["true"], row.get("source")) for row in rows]
        predicted, references, sources = zip(*table, strict=True)
        return cls(predicted, references, sources)

    def __len__(self) -> int:
        return len(self.predicted)

    @property
    def truth(self) -> np.ndarray:
        """The references of each text: two runs can be paired where these are equal."""
        return np.asarray(["\n".join(each) for each in self.references])

    @classmethod
    def _headline(cls) -> str:
        return next(iter(cls.figures))

    @classmethod
    def figure(cls) -> str:
        """Return the figure of slices: the mean over texts, each judged by itself."""
        return f"{cls._headline()}_by_text"

    @classmethod
    def lower_is_better(cls) -> bool:
        """Return whether the headline is better small."""
        return cls.figures[cls._headline()] == "min"

    @cached_property
    def losses(self) -> np.ndarray:
        """How bad each text is by the headline: what it lacks, or its error rate."""
        measure = MEASURES[self._headline()]
        return np.array([measure.loss(counts) for counts in self._counts[self._headline()]])

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the mean over texts from the mean of `losses`."""
        return MEASURES[cls._headline()].of_loss(mean_loss)

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the texts at these indices, each as often as it stands there."""
        weights = np.bincount(rows, minlength=len(self)).astype(np.float64)
        return {name: float(MEASURES[name].value(weights @ counts)) for name, counts in self._counts.items()}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the worst texts, worst first, the longest of them first."""
        wrong = np.flatnonzero(self.losses > 0)
        lengths = np.array([len(self.predicted[place]) for place in wrong])
        return wrong[np.lexsort((-lengths, -self.losses[wrong].round(9)))[:count]]

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        lengths = np.array([num_words(text) for text in self.predicted])
        said = Counter(self.predicted).most_common(1)[0][0]
        return {
            "headline": self._headline(),
            "texts": len(self),
            "words": float(lengths.mean()),
            "reference_words": self._reference_words(),
            "faults": {fault: self._of_share([fault in each for each in self._faults]) for fault in FAULTS},
            "most_said": {
                "text": said[:80],
                **self._of_share([text == said for text in self.predicted]),
                "true": sum(said in each for each in self.references),
            },
            "distinct": len(set(self.predicted)),
            "levels": self._levels(lengths),
            "losses": np.histogram(np.minimum(self.losses, 1.0), bins=20, range=(0, 1))[0].tolist(),
        }

    def _reference_words(self) -> float | None:
        lengths = [np.mean([num_words(text) for text in each]) for each in self.references if each]
        return float(np.mean(lengths)) if lengths else None

    def _of_share(self, inside: Sequence[bool]) -> dict[str, Any]:
        """Return how many texts are inside, and what share of all that is lost they lose."""
        chosen = np.array(inside, bool)
        return {
            "texts": int(chosen.sum()),
            "share_of_loss": float(self.losses[chosen].sum() / max(self.losses.sum(), 1e-12)),
        }

    def _levels(self, lengths: np.ndarray) -> list[dict[str, Any]]:
        """Return the figures of texts of like length: that of the first reference, or their own."""
        reference_lengths = np.array(
            [num_words(each[0]) if each else own for each, own in zip(self.references, lengths, strict=True)]
        )
        edges = np.unique(np.quantile(reference_lengths, np.linspace(0, 1, NUM_LEVELS + 1)[1:-1]))
        bins = np.searchsorted(edges, reference_lengths, side="left")
        return [
            {
                "low": int(reference_lengths[bins == each].min()),
                "high": int(reference_lengths[bins == each].max()),
                "texts": int((bins == each).sum()),
                "figures": self.statistics(np.flatnonzero(bins == each)),
            }
            for each in np.unique(bins)
        ]

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the source, and the text beside the nearest true one with their differences marked."""
        predicted = row["predicted"][:LONGEST]
        reference = nearest(predicted, [text[:LONGEST] for text in row["true"]])
        source = row.get("source", example.get("source"))
        items = [Item("source", "text", source[:LONGEST])] if isinstance(source, str) else []
        if reference is None:
            return [*items, Item("predicted", "text", predicted), Item("answer", "text", cls.said(row))]
        wrong, missing = differences(predicted, reference)
        return [
            *items,
            Item("true", "marked", reference, missing),
            Item("predicted", "marked", predicted, wrong),
            Item("answer", "text", cls.said(row)),
        ]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return the figures of one text, and what is wrong at a glance."""
        figure_texts = []
        for name in cls.figures:
            measure = MEASURES[name]
            value = measure.of_loss(measure.loss(measure.counts(row["predicted"], row["true"])))
            figure_texts.append(f"{name} {value:.{1 if measure.scale > 1 else 3}f}")
        faults = faults_of(row["predicted"], row["true"], row.get("source"))
        place = [f"row {row['row']} of test"] if "row" in row else []
        return ", ".join([*figure_texts, *faults, *place])

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


class Transcripts(Texts):
    """What was recognised in each recording and what was said, judged by edits as both are written.

    Example:

    >>> rows = [{"true": ["the cat sat"], "predicted": "the cat sat down"}]
    >>> round(Transcripts.from_rows(rows).statistics(np.arange(1))["word_error_rate"], 4)
    0.3333
    """

    figures: ClassVar[Mapping[str, Direction]] = {"word_error_rate": "min", "character_error_rate": "min"}

    @property
    def right(self) -> np.ndarray:
        """Whether each transcript is that of a person, bool."""
        return np.array(
            [
                text.split() in [each.split() for each in references]
                for text, references in zip(self.predicted, self.references, strict=True)
            ]
        )


class FreeTexts(Texts):
    """Texts that no person's text stands beside, of which only repetition is counted."""

    figures: ClassVar[Mapping[str, Direction]] = {"repetition": "min"}

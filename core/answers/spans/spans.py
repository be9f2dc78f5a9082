"""Answers found in a context beside those of people: exact match, F1, and the questions answered worst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.answers.kind import Answers, Table, Tree
from core.answers.rows import Direction
from core.answers.significance import difference_p
from core.answers.spans.agreement import ERRORS, agreement, error_of, normalized
from core.answers.spans.findings import findings
from core.answers.spans.pictures import pictures
from core.shown import Item, Mark
from core.wording import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from core.answers.calibration import Calibration
    from core.answers.finding import Finding

QUESTION_WORDS = ("who", "whom", "whose", "what", "when", "where", "which", "why", "how")
MOST_WORDS = 12
FEWEST_QUESTIONS = 5  # of a first word that has figures of its own
CONFIDENT = 0.9
AROUND = 160  # characters of the context beside what is marked
BOTH, PREDICTED, TRUE = 2, 1, 0  # tones of marks
NAMES = {BOTH: "both", PREDICTED: "answered", TRUE: "true"}


class Spans(Answers):
    """What was found in the context of each question and what people answered.

    A row has the `question`, its `context`, the `true` answers (none where the context has none), and what
    is `predicted` (empty where nothing is answered), with `start` and `end` in characters of the context and
    a `probability`, where there are any. `units` is `words` by default; `characters` is for Chinese.

    Args:
        exact: Whether each answer is that of a person, shape `(num_questions,)`.
        f1: Of the words of each answer, shape `(num_questions,)`.
        errors: In which way each is wrong.
        words: The question word of each.
        answerable: Whether its context has an answer, bool, shape `(num_questions,)`.
        truth: The true answers of each, as one text.
        probabilities: How sure each answer is, shape `(num_questions,)`; not a number where it is not said.

    Example:

    >>> rows = [{"question": "Where?", "context": "In Paris.", "true": ["Paris"], "predicted": "In Paris"}]
    >>> round(Spans.from_rows(rows).statistics(np.arange(1))["f1"], 4)
    0.6667
    """

    kind: ClassVar[str] = "spans"
    mistakes_title: ClassVar[str] = "The worst answers"
    figures: ClassVar[Mapping[str, Direction]] = {"f1": "max", "exact_match": "max"}

    def __init__(
        self,
        exact: np.ndarray,
        f1: np.ndarray,
        errors: Sequence[str],
        words: Sequence[str],
        answerable: np.ndarray,
        truth: np.ndarray,
        probabilities: np.ndarray,
    ) -> None:
        self.exact = exact
        self.f1 = f1
        self.errors = np.asarray(errors)
        self.words = np.asarray(words)
        self.answerable = answerable
        self.probabilities = probabilities
        self._truth = truth

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Spans:
        """Read rows with `question`, `true` and `predicted`."""
        judged, errors, words, answerable, truth, probabilities = [], [], [], [], [], []
        for row in rows:
            answer = row["predicted"], row["true"], row.get("units", "words")
            judged.append(agreement(*answer))
            errors.append(error_of(*answer))
            words.append(question_word(row["question"]))
            answerable.append(any(normalized(each, answer[2]) for each in row["true"]))
            truth.append("\n".join([row["question"], *row["true"]]))
            probabilities.append(row.get("probability", np.nan))
        exact, f1 = np.array(judged, np.float64).T
        return cls(
            exact,
            f1,
            errors,
            words,
            np.array(answerable, bool),
            np.asarray(truth),
            np.array(probabilities, np.float64),
        )

    def __len__(self) -> int:
        return len(self.f1)

    @property
    def truth(self) -> np.ndarray:
        """Each question with its true answers: two runs can be paired where these are equal."""
        return self._truth

    @property
    def right(self) -> np.ndarray:
        """Whether each answer is that of a person, bool."""
        return self.exact > 0

    @property
    def losses(self) -> np.ndarray:
        """What each answer lacks of an F1 of 1."""
        return 1 - self.f1

    @classmethod
    def of_loss(cls, mean_loss: float) -> float:
        """Return the mean F1 from the mean of `losses`."""
        return 1 - mean_loss

    def statistics(self, rows: np.ndarray) -> dict[str, float]:
        """Return the figures of the questions at these indices, each as often as it stands there."""
        return {"f1": float(self.f1[rows].mean()), "exact_match": float(self.exact[rows].mean())}

    def mistakes(self, count: int) -> np.ndarray:
        """Return the indices of the answers of the lowest F1, the surest of them first."""
        wrong = np.flatnonzero(~self.right)
        sureness = np.nan_to_num(self.probabilities[wrong], nan=0.0)
        return wrong[np.lexsort((-sureness, self.f1[wrong]))[:count]]

    def per_word(self) -> dict[str, dict[str, Any]]:
        """Return the figures of the questions of each question word, the most frequent first."""
        counts = Counter(self.words.tolist())
        frequent_words = [word for word, count in counts.most_common(MOST_WORDS) if count >= FEWEST_QUESTIONS]
        groups = {word: self.words == word for word in frequent_words}
        others = ~np.isin(self.words, frequent_words)
        if others.any():
            groups["other"] = others
        return {
            word: {**self.statistics(np.flatnonzero(inside)), "questions": int(inside.sum())}
            for word, inside in groups.items()
        }

    def details(self, calibration: Calibration | None = None) -> dict[str, Any]:
        """Return the tables of a report, as plain data."""
        counts = Counter(self.errors.tolist())
        sure = self.probabilities >= CONFIDENT  # which is false of what is no number
        return {
            "words": self._words(),
            "errors": {error: counts[error] for error in ERRORS},
            "mistakes": int((~self.right).sum()),
            "questions": len(self),
            "confident_mistakes": int((sure & ~self.right).sum()),
            "unanswerable": {
                "questions": int((~self.answerable).sum()),
                "left_unanswered": int((~self.answerable & self.right).sum()),
                "f1_of_answerable": float(self.f1[self.answerable].mean()) if self.answerable.any() else None,
            },
        }

    def _words(self) -> dict[str, dict[str, Any]]:
        """Return `per_word` with how likely chance alone sets each apart from the others."""
        from scipy.stats import false_discovery_control

        rows = self.per_word()
        groups = np.array([word if word in rows else "other" for word in self.words.tolist()])
        for word, row in rows.items():
            own = groups == word
            alone = own.all()
            row["p"] = 1.0 if alone else difference_p(self.losses[own], self.losses[~own])
            row["others_f1"] = None if alone else float(self.f1[~own].mean())
        for row, p in zip(
            rows.values(), false_discovery_control([row["p"] for row in rows.values()]), strict=True
        ):
            row["p"] = float(p)
        return rows

    @classmethod
    def table(cls, figures: Mapping[str, Any]) -> Table | None:
        """Return the table of question words, where `evaluate` gives one as `per_word`."""
        per_word = figures.get("per_word")
        if not per_word:
            return None
        header = ["question word", *next(iter(per_word.values()))]
        return Table("", header, [[word, *map(number, row.values())] for word, row in per_word.items()])

    @classmethod
    def shown(cls, row: Mapping[str, Any], example: Mapping[str, Any]) -> list[Item]:
        """Return the question, its context with both answers marked, and the answers."""
        items = [Item("question", "text", str(row["question"]))]
        context = row.get("context", example.get("context"))
        if context is not None:
            items.append(marked_context(str(context), row))
        return [*items, Item("answer", "text", cls.said(row))]

    @classmethod
    def said(cls, row: Mapping[str, Any]) -> str:
        """Return the answer beside the true ones, and how sure it was."""
        true = " / ".join(f"“{each}”" for each in dict.fromkeys(row["true"])) or "none"
        answer = f"“{row['predicted']}”" if row["predicted"] else "nothing"
        sure = f", probability {row['probability']:.3f}" if row.get("probability") is not None else ""
        place = f", row {row['row']} of test" if "row" in row else ""
        return f"true {true}, answered {answer} ({cls._told_error(row)}{sure}{place})"

    @classmethod
    def _told_error(cls, row: Mapping[str, Any]) -> str:
        return error_of(row["predicted"], row["true"], row.get("units", "words"))

    @classmethod
    def pictures(cls, tree: Tree) -> dict[str, Figure | None]:
        """Return name to picture, drawn from the figures of a report."""
        return pictures(tree)

    @classmethod
    def findings(cls, tree: Tree) -> Iterator[Finding]:
        """Yield what needs mending, from the figures of a report."""
        return findings(tree)


def question_word(question: str) -> str:
    """Return the question word of an English question, else the first word, in small letters.

    Example:

    >>> question_word("In what year did he die?"), question_word("Wer war das?"), question_word("")
    ('what', 'wer', '')
    """
    words = [word.strip("\"'“”‘’¿?,.:;!()").lower() for word in question.split()]
    first = words[0] if words else ""
    return next((word for word in words if word in QUESTION_WORDS), first)


def marked_context(context: str, row: Mapping[str, Any]) -> Item:
    """Return the part of a context that holds the answers, with the true one and the predicted one marked.

    Args:
        context: Of the question.
        row: As `evaluate` wrote it; without `start`, answers are marked where they first stand.
    """
    true = next((span for each in row["true"] if (span := _first(context, each))), None)
    predicted = _first(context, row["predicted"])
    if row["predicted"] and row.get("start") is not None:
        start = int(row["start"])
        predicted = start, int(row.get("end", start + len(row["predicted"])))
    spans = [span for span in (true, predicted) if span]
    first = max(min((span[0] for span in spans), default=0) - AROUND, 0)
    last = min(max((span[1] for span in spans), default=2 * AROUND) + AROUND, len(context))
    before, after = "… " if first else "", " …" if last < len(context) else ""
    shift = len(before) - first
    marks = tuple(
        Mark(start + shift, end + shift, NAMES[tone], tone) for start, end, tone in _pieces(true, predicted)
    )
    return Item("context", "marked", before + context[first:last] + after, marks)


def _first(context: str, answer: str) -> tuple[int, int] | None:
    start = context.find(answer) if answer else -1
    return None if start < 0 else (start, start + len(answer))


def _pieces(
    true: tuple[int, int] | None, predicted: tuple[int, int] | None
) -> Iterator[tuple[int, int, int]]:
    """Yield the stretches of two spans, apart and in order, each with the tone of whose it is."""
    edges = sorted({edge for span in (true, predicted) if span for edge in span})
    for start, end in pairwise(edges):
        in_true, in_predicted = (
            span is not None and span[0] <= start and end <= span[1] for span in (true, predicted)
        )
        if in_true or in_predicted:
            yield start, end, BOTH if in_true and in_predicted else PREDICTED if in_predicted else TRUE

"""Windows over long texts, what a net reads of them, and the best span by its scores; needs NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from apps.nlp.comprehension.forms import forms_of
from apps.nlp.word_ids import WordIds
from apps.nlp.words import Split, Word, words_of

BATCH = 64
NO_SPAN = -1e4
LONGEST_QUESTION = 64  # words that are read of a question
PARTS = ("question", "context")

Score = Callable[[dict[str, np.ndarray]], np.ndarray]
"""From a batch of `question_words`, `context_words` and so on, padded with 0, to the scores of spans."""
Pair = tuple[Sequence[str], Sequence[str]]
"""The words of a question, and those of its context."""
Known = dict[tuple[str, ...], dict[str, np.ndarray]]
"""What a net is given of words, by the words."""


class Found(NamedTuple):
    """What was found in a context.

    Args:
        first: Index of the first word of the answer; -1 where there is none.
        last: Of its last word, likewise.
        probability: That exactly this is the answer.
    """

    first: int
    last: int
    probability: float


def starts_of(num_words: int, window: int) -> range:
    """Return where the windows over a text begin: each goes half a window on, and the last holds its end.

    Args:
        num_words: Of the text.
        window: Words of a window, at least 2.

    Example:

    >>> list(starts_of(10, 4)), list(starts_of(3, 4))
    ([0, 2, 4, 6], [0])
    """
    step = window // 2
    return range(0, max(num_words - window + step, 1), step)


def read(words: Sequence[str], ids: WordIds) -> dict[str, np.ndarray]:
    """Return what a net is given of words: their ids, characters, pieces and forms.

    Args:
        words: Of a question or of a window.
        ids: Of words.

    Returns:
        int32 arrays with a row a word, one of zeros at least, which stands for none.
    """
    columns = {**ids(words), "forms": forms_of(words, ids.split)}
    if words:
        return columns
    return {name: np.zeros((1, *column.shape[1:]), np.int32) for name, column in columns.items()}


def grids(
    pairs: Sequence[Pair], ids: WordIds, *, window: int, longest: int, score: Score
) -> list[np.ndarray]:
    """Return how much likelier each span is than that there is no answer, as logarithms.

    Where windows overlap, a span has its best score.

    Args:
        pairs: Words of each question and its context.
        ids: Of words.
        window: Words of a context that are read at once.
        longest: Words of an answer, at most.
        score: The net.

    Returns:
        Of each pair float32, `(num_words, longest)`: by the first word of a span, and by how many more it
        has; `NO_SPAN` where a span would go on behind the text or the window.
    """
    units = [
        (row, start, (question[:LONGEST_QUESTION], context[start : start + window]))
        for row, (question, context) in enumerate(pairs)
        for start in starts_of(len(context), window)
    ]
    scored = [np.full((len(context), longest), NO_SPAN, np.float32) for _, context in pairs]
    known: Known = {}
    order = sorted(range(len(units)), key=lambda place: tuple(map(len, units[place][2][::-1])))
    for begin in range(0, len(order), BATCH):
        places = order[begin : begin + BATCH]
        batch = score(padded([units[place][2] for place in places], ids, known))
        for place, row_scores in zip(places, batch, strict=True):
            row, start, (_, words) = units[place]
            own = np.asarray(row_scores, np.float32)
            grid = (own[1:] - own[0]).reshape(-1, longest)[: len(words)]
            seen = scored[row][start : start + len(words)]
            np.maximum(seen, np.where(_fits(len(words), longest), grid, NO_SPAN), out=seen)
    return scored


def _fits(num_words: int, longest: int) -> np.ndarray:
    return np.arange(num_words)[:, None] + np.arange(longest) < num_words


def padded(pairs: Sequence[Pair], ids: WordIds, known: Known | None = None) -> dict[str, np.ndarray]:
    """Return a batch of questions and windows, padded with 0.

    Args:
        pairs: Words of each question and each window.
        ids: Of words.
        known: What was read before, to which what is read now is added: many questions are about one text.
    """
    known = {} if known is None else known
    rows = []
    for pair in pairs:
        keys = [tuple(words) for words in pair]
        for key in keys:
            if key not in known:
                known[key] = read(key, ids)
        rows.append([known[key] for key in keys])
    return {
        f"{part}_{name}": _stacked([row[place][name] for row in rows])
        for place, part in enumerate(PARTS)
        for name in rows[0][place]
    }


def _stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    longest = max(map(len, arrays))
    batch = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), np.int32)
    for row, array in zip(batch, arrays, strict=True):
        row[: len(array)] = array
    return batch


def best_of(grid: np.ndarray, may_be_silent: bool) -> Found:
    """Return the likeliest span, or that there is none.

    Args:
        grid: As `grids` returns it.
        may_be_silent: Whether there may be no answer: there is none where no span is likelier than that.

    Example:

    >>> best_of(np.array([[0.0, 2.0], [-9.0, NO_SPAN]]), may_be_silent=True)[:2]
    (0, 1)
    >>> best_of(np.array([[-3.0, -2.0], [-9.0, NO_SPAN]]), may_be_silent=True)[:2]
    (-1, -1)
    """
    if not grid.size:
        return Found(-1, -1, 1.0)
    scores = grid.astype(np.float64)
    first, more = np.unravel_index(int(scores.argmax()), scores.shape)
    best = float(scores[first, more])
    largest = max(best, 0.0) if may_be_silent else best
    total = np.exp(scores - largest).sum() + (np.exp(-largest) if may_be_silent else 0.0)
    if may_be_silent and best < 0:
        return Found(-1, -1, float(np.exp(-largest) / total))
    return Found(int(first), int(first + more), float(np.exp(best - largest) / total))


def answer_of(context: str, words: Sequence[Word], found: Found) -> dict[str, Any]:
    """Return what was found as an answer.

    Args:
        context: As it was written.
        words: Of the context.
        found: The place of the answer.

    Returns:
        `answer` (empty where there is none), `start` and `end` in characters, `probability`, and `context`.
    """
    start, end = (words[found.first].start, words[found.last].end) if found.first >= 0 else (0, 0)
    place = {"start": start, "end": end, "probability": found.probability}
    return {"answer": context[start:end], **place, "context": context}


def cut(texts: Sequence[str], split: Split) -> Iterator[list[Word]]:
    """Yield the words of texts, each text cut once however often it comes."""
    known: dict[str, list[Word]] = {}
    for text in texts:
        if text not in known:
            known[text] = words_of(text, split)
        yield known[text]


def spelt(words: Sequence[Word]) -> list[str]:
    """Return words without their places."""
    return [word.text for word in words]


def pairs_of(inputs: Sequence[Mapping[str, str]], split: Split) -> list[Pair]:
    """Return the words of questions and contexts."""
    sides = (cut([each[name] for each in inputs], split) for name in PARTS)
    return [(spelt(question), spelt(context)) for question, context in zip(*sides, strict=True)]

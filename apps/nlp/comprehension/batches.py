"""Questions beside windows of their contexts, and where the answers stand in them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from apps.nlp.comprehension.windows import LONGEST_QUESTION, cut, read, spelt, starts_of
from apps.nlp.word_ids import WordIds
from apps.nlp.words import Split, Word
from core.data.examples import Examples, Ragged
from core.data.feed import Repeated

NO_ANSWER = 1  # among the targets, of which 0 is padding


class Unit(NamedTuple):
    """A question beside a window.

    Args:
        row: Of the question.
        text: Of its context, among the different ones.
        start: Of the window, in words.
    """

    row: int
    text: int
    start: int


def num_windows(examples: Examples, split: Split, window: int) -> int:
    """Return how many windows all questions have together.

    Args:
        examples: Questions and contexts.
        split: How texts are cut.
        window: Words of a window.
    """
    contexts = examples["context"].tolist()
    return sum(len(starts_of(len(words), window)) for words in cut(contexts, split))


def answer_lengths(examples: Examples, split: Split) -> np.ndarray:
    """Return how many words each answer of each question has, int64, `(num_answers,)`.

    Args:
        examples: Questions with spans, of which at least one has an answer.
        split: How texts are cut.
    """
    spans = examples.ragged("spans")
    lengths = [
        last - first + 1
        for row, words in enumerate(cut(examples["context"].tolist(), split))
        for first, last in words_spanned(words, spans[row].tolist())
    ]
    return np.array(lengths, np.int64)


def windows_and_targets(
    examples: Examples, ids: WordIds, *, window: int, longest: int
) -> tuple[dict[str, Any], Ragged, np.ndarray]:
    """Return the columns that a feed takes: each window's words are held once, however many ask about it.

    Args:
        examples: Questions with spans.
        ids: Of words.
        window: Words of a context that are read at once.
        longest: Words of an answer, at most; of a longer one the beginning is learnt.

    Returns:
        The inputs; the targets, int32, for each annotator who answers in the window `2 + first * longest +
        more`, where an answer begins at word `first` of it and has `more` words after that, or `NO_ANSWER`
        where none does; and the length of each window.
    """
    contexts, questions = examples["context"].tolist(), examples["question"].tolist()
    numbers = {text: number for number, text in enumerate(dict.fromkeys(contexts))}
    texts = list(cut(list(numbers), ids.split))
    units = [
        Unit(row, numbers[context], start)
        for row, context in enumerate(contexts)
        for start in starts_of(len(texts[numbers[context]]), window)
    ]
    places = {place: number for number, place in enumerate(dict.fromkeys(unit[1:] for unit in units))}
    read_windows = [read(spelt(texts[text])[start : start + window], ids) for text, start in places]
    read_questions = [read(spelt(words)[:LONGEST_QUESTION], ids) for words in cut(questions, ids.split)]
    of_question = np.array([unit.row for unit in units])
    of_window = np.array([places[unit[1:]] for unit in units])
    x = _columns("question", read_questions, of_question) | _columns("context", read_windows, of_window)
    spans = examples.ragged("spans")
    targets = [
        _targets(words_spanned(texts[unit.text], spans[unit.row].tolist()), unit.start, window, longest)
        for unit in units
    ]
    lengths = np.array([len(each["words"]) for each in read_windows])[of_window]
    return x, Ragged.from_rows(targets, np.int32), lengths


def _columns(part: str, rows: Sequence[dict[str, np.ndarray]], repeated: np.ndarray) -> dict[str, Repeated]:
    return {
        f"{part}_{name}": Repeated(Ragged.from_rows([row[name] for row in rows], np.int32), repeated)
        for name in rows[0]
    }


def words_spanned(words: Sequence[Word], spans: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last word that each span touches; nothing for one that touches none.

    Args:
        words: Of a text.
        spans: Start and end in characters.
    """
    for start, end in spans:
        first = bisect_right(words, start, key=lambda word: word.end)
        last = bisect_left(words, end, key=lambda word: word.start) - 1
        if first <= last:
            yield first, last


def _targets(spans: Iterator[tuple[int, int]], start: int, window: int, longest: int) -> list[int]:
    inside = [
        2 + (first - start) * longest + min(last - first, longest - 1)
        for first, last in spans
        if start <= first and last < start + window
    ]
    return inside or [NO_ANSWER]

"""Ids of words and of their characters, and the scores that a net gives them; needs NumPy alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from core.data.letters import composed, folded

UNKNOWN, FIRST = 1, 2  # 0 is padding
BATCH = 64
_DIGIT = re.compile(r"\d")

Score = Callable[[dict[str, np.ndarray]], np.ndarray]
"""From `words`, `(batch_size, num_words)`, and `characters` to emissions."""


def word_key(word: str) -> str:
    """Return a word as the vocabulary knows it: blind to case and to which digits it has.

    Example:

    >>> word_key("Flat2B")
    'flat0b'
    """
    return _DIGIT.sub("0", folded(word))


class WordIds:
    """Makes ids of words and of their characters.

    Args:
        vocabulary: Words that are known, as `word_key` makes them.
        characters: Characters that are known.
        word_length: Characters that are read of a word; of a longer one its beginning and its end.

    Example:

    >>> words, characters = WordIds(["ann"], ["A", "n"], word_length=4)(["Ann", "Bo"])
    >>> words.tolist(), characters.tolist()
    ([2, 1], [[2, 3, 3, 0], [1, 1, 0, 0]])
    """

    def __init__(self, vocabulary: Sequence[str], characters: Sequence[str], word_length: int) -> None:
        self.word_length = word_length
        self._words = {word: place for place, word in enumerate(vocabulary, start=FIRST)}
        self._characters = {each: place for place, each in enumerate(characters, start=FIRST)}

    def __call__(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of words, int32, `(num_words,)`, and of characters, `(num_words, word_length)`."""
        numbers = np.fromiter(
            (self._words.get(word_key(word), UNKNOWN) for word in words), np.int32, len(words)
        )
        characters = np.zeros((len(words), self.word_length), np.int32)
        for row, word in zip(characters, words, strict=True):
            spelt = composed(word)
            if len(spelt) > self.word_length:
                tail = self.word_length // 2
                spelt = spelt[: self.word_length - tail] + spelt[-tail:]
            row[: len(spelt)] = [self._characters.get(each, UNKNOWN) for each in spelt]
        return numbers, characters


def emissions_of(
    sentences: Sequence[Sequence[str]], ids: WordIds, max_length: int, score: Score
) -> list[np.ndarray]:
    """Return the scores of the tags of each sentence, `(num_words, num_tags)`.

    Args:
        sentences: The words of each.
        ids: Of words and characters.
        max_length: Words that are scored at once; a longer sentence is scored in pieces.
        score: The net.
    """
    pieces = [
        (row, sentence[start : start + max_length])
        for row, sentence in enumerate(sentences)
        for start in range(0, len(sentence), max_length)
    ]
    scored: list[np.ndarray] = [np.zeros((0, 0), np.float32)] * len(pieces)
    order = sorted(range(len(pieces)), key=lambda place: len(pieces[place][1]))
    for first in range(0, len(order), BATCH):
        places = order[first : first + BATCH]
        batch = score(_padded([ids(pieces[place][1]) for place in places]))
        for place, rows in zip(places, batch, strict=True):
            scored[place] = np.asarray(rows[: len(pieces[place][1])], np.float32)
    of_row: list[list[np.ndarray]] = [[] for _ in sentences]
    for (row, _), emissions in zip(pieces, scored, strict=True):
        of_row[row].append(emissions)
    return [np.concatenate(each) if each else np.zeros((0, 0), np.float32) for each in of_row]


def _padded(rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    longest = max(len(words) for words, _ in rows)
    words = np.zeros((len(rows), longest), np.int32)
    characters = np.zeros((len(rows), longest, rows[0][1].shape[1]), np.int32)
    for place, (numbers, spelt) in enumerate(rows):
        words[place, : len(numbers)] = numbers
        characters[place, : len(numbers)] = spelt
    return {"words": words, "characters": characters}

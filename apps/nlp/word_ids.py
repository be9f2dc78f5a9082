"""Ids of words and of their characters, and the scores that a net gives them; needs NumPy alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from apps.nlp.words import Split
from core.data.letters import composed, folded

UNKNOWN, FIRST = 1, 2  # 0 is padding
BATCH = 64
NUM_PIECES = 5
_DIGIT = re.compile(r"\d")

Score = Callable[[dict[str, np.ndarray]], np.ndarray]
"""From a batch of what `WordIds` makes, padded with 0, to emissions."""


def word_key(word: str) -> str:
    """Return a word as the vocabulary knows it: blind to case and to which digits it has.

    Example:

    >>> word_key("Flat2B")
    'flat0b'
    """
    return _DIGIT.sub("0", folded(word))


def pieces_of(words: Sequence[str], split: Split) -> list[tuple[str, ...]]:
    """Return what tells words that were never seen, `NUM_PIECES` of each.

    Of words these are the shape, and the first and last letters; of characters the shape, and the pairs and
    threes that they are in.

    Args:
        words: Of a sentence.
        split: What they are.

    Example:

    >>> pieces_of(["McCoy-2"], "words")
    [('shape=XxXx-0', '2<mc', '3<mcc', '-0>2', 'y-0>3')]
    >>> pieces_of(["中", "国", "人"], "characters")[1]
    ('shape=c', '<中国', '国人>', '中国人', '<中国人>')
    """
    if split == "words":
        return [_spelt_pieces(word, word_key(word)) for word in words]
    keys = ["", "", *map(word_key, words), "", ""]
    return [
        (
            f"shape={shape_of(word)}",
            f"<{''.join(keys[place - 1 : place + 1])}",
            f"{''.join(keys[place : place + 2])}>",
            "".join(keys[place - 1 : place + 2]),
            f"<{''.join(keys[place - 2 : place + 3])}>",
        )
        for place, word in enumerate(words, start=2)
    ]


def _spelt_pieces(word: str, key: str) -> tuple[str, ...]:
    return f"shape={shape_of(word)}", f"2<{key[:2]}", f"3<{key[:3]}", f"{key[-2:]}>2", f"{key[-3:]}>3"


def shape_of(word: str) -> str:
    """Return which kinds of characters a word is of, in order, each run of them as one.

    Example:

    >>> shape_of("O'Neill"), shape_of("v2.10"), shape_of("中文")
    ("X'Xx", 'x0.0', 'c')
    """
    return "".join(kind for kind, _ in itertools.groupby(map(_kind, word)))


def _kind(character: str) -> str:
    if character.isdigit():
        return "0"
    if character.isalpha():
        return "X" if character.isupper() else "x" if character.islower() else "c"
    return character


class WordIds:
    """Makes ids of words, of their characters and of their pieces.

    Args:
        vocabulary: Words that are known, as `word_key` makes them.
        characters: Characters that are known.
        pieces: Pieces that are known, as `pieces_of` makes them.
        word_length: Characters that are read of a word; of a longer one its beginning and its end.
        split: Whether the words are words or characters.

    Example:

    >>> ids = WordIds(["ann"], ["A", "n"], ["shape=Xx"], word_length=4)(["Ann", "Bo"])
    >>> ids["words"].tolist(), ids["characters"].tolist()
    ([2, 1], [[2, 3, 3, 0], [1, 1, 0, 0]])
    >>> ids["pieces"].tolist()
    [[2, 1, 1, 1, 1], [2, 1, 1, 1, 1]]
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        characters: Sequence[str],
        pieces: Sequence[str],
        word_length: int,
        split: Split = "words",
    ) -> None:
        self.word_length, self.split = word_length, split
        self._words, self._characters, self._pieces = (
            {each: place for place, each in enumerate(known, start=FIRST)}
            for known in (vocabulary, characters, pieces)
        )

    def __call__(self, words: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the ids of words.

        Args:
            words: Of a sentence.

        Returns:
            int32: `words`, `(num_words,)`; `characters`, `(num_words, word_length)`; `pieces`,
            `(num_words, NUM_PIECES)`.
        """
        characters = np.zeros((len(words), self.word_length), np.int32)
        for row, word in zip(characters, words, strict=True):
            spelt = composed(word)
            if len(spelt) > self.word_length:
                tail = self.word_length // 2
                spelt = spelt[: self.word_length - tail] + spelt[-tail:]
            row[: len(spelt)] = [self._characters.get(each, UNKNOWN) for each in spelt]
        numbers = [self._words.get(word_key(word), UNKNOWN) for word in words]
        pieces = [[self._pieces.get(each, UNKNOWN) for each in own] for own in pieces_of(words, self.split)]
        return {
            "words": np.array(numbers, np.int32),
            "characters": characters,
            "pieces": np.array(pieces, np.int32).reshape(-1, NUM_PIECES),
        }


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


def _padded(rows: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    longest = max(len(row["words"]) for row in rows)
    batch = {
        name: np.zeros((len(rows), longest, *column.shape[1:]), np.int32) for name, column in rows[0].items()
    }
    for place, row in enumerate(rows):
        for name, column in row.items():
            batch[name][place, : len(column)] = column
    return batch

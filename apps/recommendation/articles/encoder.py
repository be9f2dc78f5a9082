"""What is learnt of titles before any weight: their words; and impressions as numbers of articles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from core.data.examples import Ragged
from core.errors import UserError
from core.task.contract import Encoder

if TYPE_CHECKING:
    from core.data.examples import Examples

UNKNOWN_WORD = 1  # 0 is padding
FIRST_WORD = 2
WORD = re.compile(r"\w+(?:['’]\w+)?")
ID = re.compile(r"[A-Za-z]?\d+")


def words_of(title: str) -> list[str]:
    """Return the words of a title in small letters.

    Example:

    >>> words_of("Scientists' find: Mars isn't dry")
    ['scientists', 'find', 'mars', "isn't", 'dry']
    """
    return WORD.findall(title.lower())


@dataclass(frozen=True, eq=False)
class NumberedImpressions:
    """Impressions as numbers of articles, from 1.

    Args:
        history: Latest articles, oldest first, int32, a row an impression.
        candidates: Those shown, int32, likewise.
        clicked: Whether each was clicked, bool, likewise.
    """

    history: Ragged
    candidates: Ragged
    clicked: Ragged

    def __len__(self) -> int:
        return len(self.history)


class TitleEncoder(Encoder):
    """The words of the titles that training saw, and the titles of all articles of its source."""

    words: list[str] = Field(description="known words, most frequent first")
    titles: dict[str, str] = Field(description="title of each article, by its id")

    @cached_property
    def numbers_of_words(self) -> dict[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words, FIRST_WORD)}

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each article, from 1."""
        return {item: number for number, item in enumerate(self.titles, 1)}

    def tokens(self, titles: Iterable[str], length: int) -> np.ndarray:
        """Return the numbers of the first words of titles, int32, shape `(num_titles, longest)`.

        A title without any word is one unknown word.

        Args:
            titles: At least one.
            length: Words of a title, at most.
        """
        known = self.numbers_of_words
        rows = [
            [known.get(word, UNKNOWN_WORD) for word in words_of(title)[:length]] or [UNKNOWN_WORD]
            for title in titles
        ]
        tokens = np.zeros((len(rows), max(map(len, rows))), np.int32)
        for row, numbers in enumerate(rows):
            tokens[row, : len(numbers)] = numbers
        return tokens

    def table(self, length: int) -> np.ndarray:
        """Return the words of all articles by their numbers; article 0 is padding and has none."""
        return np.pad(self.tokens(self.titles.values(), length), [(1, 0), (0, 0)])

    def numbered(self, examples: Examples, history_length: int) -> NumberedImpressions:
        """Return impressions as numbers, of whose histories the latest articles are kept.

        Raises:
            UserError: There is no title for an article.
        """
        return NumberedImpressions(
            self._articles([text.split()[-history_length:] for text in examples["history"]]),
            self._articles([text.split() for text in examples["candidates"]]),
            Ragged.from_rows([[each == "1" for each in text.split()] for text in examples["clicked"]], bool),
        )

    def _articles(self, rows: Sequence[Sequence[str]]) -> Ragged:
        numbers = self.numbers
        try:
            return Ragged.from_rows([[numbers[item] for item in row] for row in rows], np.int32)
        except KeyError as error:
            raise UserError(f"There is no title for an article. Received: {error.args[0]!r}.") from None

    def title_of(self, text: str) -> str | None:
        """Return the title of an article that is named by id or by its title; nothing for an unknown id."""
        text = text.strip()
        return self.titles.get(text) or (None if ID.fullmatch(text) else text)


def vocabulary(titles: Iterable[str], least: int) -> list[str]:
    """Return the words that stand in at least so many titles, most frequent first."""
    counts = Counter(word for title in titles for word in set(words_of(title)))
    return sorted(
        (word for word, count in counts.items() if count >= least), key=lambda word: (-counts[word], word)
    )

"""Texts as words that a voice can say."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from core.errors import UserError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MOST_SHOWN = 12  # words of a vocabulary in a message
MOST_WORDS = 200  # of a text, which take a minute or two to say


def read(text: str, words: Sequence[str]) -> list[str]:
    """Return the words of a text as they stand in a vocabulary, numbers digit by digit.

    What the vocabulary holds in several words, such as `turn on`, is taken before its parts.

    Args:
        text: As a person types it; marks between words say nothing.
        words: The vocabulary.

    Raises:
        UserError: There is no word, one that the voice never learnt, or too many.

    Example:

    >>> read("Seven, 42!", ["2", "4", "7"]), read("Turn on 2", ["turn on", "two"])
    (['7', '4', '2'], ['turn on', 'two'])
    """
    known = {folded(word): word for word in words}
    for digit, name in enumerate(DIGITS):
        for one, other in ((str(digit), name), (name, str(digit))):
            if one not in known and other in known:
                known[one] = known[other]
    most = max(word.count(" ") + 1 for word in known)
    pieces = [piece for token in folded(text).split() for piece in _pieces(token, known)]
    said: list[str] = []
    place = 0
    while place < len(pieces):
        for count in range(min(most, len(pieces) - place), 0, -1):
            word = " ".join(pieces[place : place + count])
            if word in known:
                said.append(known[word])
                place += count
                break
        else:
            raise UserError(
                f"This voice never learnt to say {pieces[place]!r}. It says {_listed(words)}. "
                f"Received: {text[:60]!r}."
            )
    if not said:
        raise UserError(f"There is no word to say. The voice says {_listed(words)}. Received: {text[:60]!r}.")
    if len(said) > MOST_WORDS:
        raise UserError(f"A voice says up to {MOST_WORDS} words at once. Received: {len(said)} words.")
    return said


def folded(text: str) -> str:
    """Return a text in lower case, with a blank for whatever is no letter, digit or mark within a word.

    Example:

    >>> folded("It's  ON,  now")
    "it's on now"
    """
    text = unicodedata.normalize("NFC", text).casefold()
    kept = "".join(
        letter if letter.isalnum() or letter in "'-_" or unicodedata.category(letter)[0] == "M" else " "
        for letter in text
    )
    return " ".join(kept.split())


def _pieces(token: str, known: dict[str, str]) -> list[str]:
    """Return a word, or the digits of a number that is none."""
    return list(token) if token.isdecimal() and token not in known else [token]


def _listed(words: Sequence[str]) -> str:
    more = len(words) - MOST_SHOWN
    return ", ".join(words[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")

"""Words of raw texts and where they stand, alike in training and in exports; needs Python alone."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from core.data.letters import is_mark

Split = Literal["words", "characters"]
# Names that begin with a sign (@ann, #rome), what an apostrophe parts off, numbers with their signs, words
# with their hyphens, and any other sign alone.
_WORD = re.compile(
    r"(?<!\w)[@#]\w+|(?<=\w)['’](?:s|m|d|re|ve|ll|t)\b|\d+(?:[.,:/-]\d+)*(?!\w)|\w+(?:-\w+)*|[^\w\s]",
    re.IGNORECASE,
)
_LETTER = "a"


class Word(NamedTuple):
    """A word, and where it stands in its text.

    Args:
        text: The word.
        start: Of its first character.
        end: After its last.
    """

    text: str
    start: int
    end: int


def words_of(text: str, split: Split = "words") -> list[Word]:
    """Return the words of a text in order, or its characters without blanks, each with its marks.

    Args:
        text: As it was written.
        split: `characters` for languages that write no blanks.

    Example:

    >>> [word.text for word in words_of("Ann's in New York (@ann, 3.5 km).")]
    ['Ann', "'s", 'in', 'New', 'York', '(', '@ann', ',', '3.5', 'km', ')', '.']
    >>> words_of("中 国", "characters")[1]
    Word(text='国', start=2, end=3)
    """
    if split == "characters":
        places = _characters(text)
    else:
        # A mark belongs to its letter, which Python's \w does not know: it is read as a letter would be.
        whole = text if text.isascii() else "".join(_LETTER if is_mark(each) else each for each in text)
        places = [match.span() for match in _WORD.finditer(whole)]
    return [Word(text[start:end], start, end) for start, end in places]


def _characters(text: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    for place, character in enumerate(text):
        if places and is_mark(character) and places[-1][1] == place:
            places[-1] = (places[-1][0], place + 1)
        elif not character.isspace():
            places.append((place, place + 1))
    return places

"""How the letters of a text are read, alike in training and in exports, in whatever language it is."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Reading = Literal["folded", "lowered"]
"""`folded`: composed, case folded, marks with their letters; `lowered`: as runs read that do not say."""

# Characters that show nothing and part nothing: a hyphen at which a word may break, signs of direction.
UNSEEN = "\u00ad\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
# Blanks beyond those of ASCII, those of no width and those at which no line breaks among them.
BLANKS = "\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000"
# Join letters of Arabic and Indic scripts within a word.
JOINERS = "\u200c\u200d"

_unseen, _blanks = re.compile(f"[{UNSEEN}]"), re.compile(f"[{BLANKS}]")


def composed(text: str) -> str:
    """Return a text whose letters and marks are one character where there is one for both (NFC).

    Example:

    >>> composed("cafe\\u0301") == "caf\\u00e9"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return a text blind to case, to how its marks are spelt, and to the kinds of blanks.

    Small letters are those of the Unicode standard, whatever the language of the machine is.

    Example:

    >>> folded("Cafe\\u0301\\u00a0NOIR"), folded("ΛΌΓΟΣ") == folded("Λόγος")
    ('café noir', True)
    """
    if text.isascii():
        return text.lower()
    whole = unicodedata.normalize("NFC", small_letters(unicodedata.normalize("NFC", text)))
    return _blanks.sub(" ", _unseen.sub("", whole))


def small_letters(text: str) -> str:
    """Return a text in small letters, each as it would be alone: sigma has one form wherever it stands."""
    return text.lower().replace("ς", "σ")


def lowered(text: str) -> str:
    """Return a text in small letters, as runs read it that do not say how."""
    return text.lower()


def is_mark(character: str) -> bool:
    """Return whether a character belongs to the letter before it: an accent, a vowel sign, a joiner.

    Example:

    >>> is_mark("\\u0301"), is_mark("e")
    (True, False)
    """
    return character in JOINERS or unicodedata.category(character)[0] == "M"

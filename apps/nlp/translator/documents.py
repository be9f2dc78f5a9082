"""Documents as the sentences that a translator reads, and what stands between them, which is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# What a line may begin with that is no language: blanks, marks of lists, headings and quotations, numbers.
BEGINNING = re.compile(r"\s*(?:(?:[-*+>•]|#{1,6}|\d{1,3}[.)]|\[[ xX]\])\s+)*")
# A line that has no letter at all, such as a rule or a row of dashes, is kept as it is.
SENTENCES = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=\S)|(?<=[。！？])(?=\S)")
NO_SCRIPT = frozenset({"Common"})


@dataclass(frozen=True)
class Piece:
    """A stretch of a document.

    Args:
        text: As it stands there.
        translates: Whether it is to be translated; else it is kept.
    """

    text: str
    translates: bool


def pieces_of(text: str, longest: int) -> list[Piece]:
    """Return a document in pieces, which together are all of it.

    Args:
        text: Lines are translated one by one, without the marks that they begin with.
        longest: Characters above which a line is read sentence by sentence.

    Example:

    >>> [piece.text for piece in pieces_of("# Title\\n\\n- one dog\\n---", 99) if piece.translates]
    ['Title', 'one dog']
    """
    pieces: list[Piece] = []
    for line in re.split(r"(\n)", text):
        start = BEGINNING.match(line)
        begin = start.end() if start else 0
        body = line[begin:].rstrip()
        if not any(character.isalpha() for character in body):
            pieces.append(Piece(line, translates=False))
            continue
        pieces.append(Piece(line[:begin], translates=False))
        pieces += _sentences(body) if len(body) > longest else [Piece(body, translates=True)]
        pieces.append(Piece(line[begin + len(body) :], translates=False))
    return [piece for piece in pieces if piece.text]


def _sentences(line: str) -> list[Piece]:
    pieces, start = [], 0
    for gap in SENTENCES.finditer(line):
        pieces += [Piece(line[start : gap.start()], True), Piece(line[gap.start() : gap.end()], False)]
        start = gap.end()
    return [*pieces, Piece(line[start:], translates=True)]


def scripts_of(texts: Sequence[str]) -> set[str]:
    """Return the scripts of the letters in texts, by the first words of their names in Unicode.

    Example:

    >>> sorted(scripts_of(["one 1", "μία", "一"]))
    ['Cjk', 'Greek', 'Latin']
    """
    letters = {letter for text in texts for letter in set(text) if letter.isalpha()}
    return {_script(letter) for letter in letters} - NO_SCRIPT


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "Common").replace("FULLWIDTH ", "").replace("HALFWIDTH ", "")
    first = name.split()[0].split("-")[0].capitalize()
    # Letters such as the micro sign and the ordinals are no script's own.
    return first if first not in ("Modifier", "Micro", "Feminine", "Masculine", "Ideographic") else "Common"

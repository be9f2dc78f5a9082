"""Answers from an export of a text classification, without Keras."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.data.letters import JOINERS, Reading, composed, folded, is_mark, lowered
from core.exporting.classifier import Classifier
from core.exporting.runtime import main

# The same as in training, where TensorFlow cuts the texts: ids before those of the vocabulary, what stands
# for an empty text, the letters that are read of a word, and what tells runs of letters from words.
UNKNOWN, FIRST = 1, 2
EMPTY = "\u2400"
LONGEST_WORD = 64
INNER = "#"


class Predictor(Classifier):
    """Names the class of texts.

    Args:
        folder: Of the export.

    Example:

    >>> Predictor("runs/reviews/exports/onnx").predict(["A lovely film"])  # doctest: +SKIP
    [{'label': 'positive', 'probability': 0.97, ...}]
    """

    def __init__(self, folder: Path | str) -> None:
        super().__init__(folder)
        self.ids = {piece: place for place, piece in enumerate(self.settings["vocabulary"], start=FIRST)}

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return texts as they are, or as ids with zeros behind, int32, shape `(num_texts, longest)`."""
        texts = [str(text) for text in inputs]
        if self.graph.inputs == ["text"]:
            return {"text": np.array([_readable(text, **self.settings["pieces"]) for text in texts], object)}
        rows = [
            [self.ids.get(piece, UNKNOWN) for piece in pieces(text, **self.settings["pieces"])]
            for text in texts
        ]
        ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
        for row, numbers in zip(ids, rows, strict=True):
            row[: len(numbers)] = numbers
        return {"ids": ids}


def _readable(text: str, reading: Reading = "lowered", **others: Any) -> str:
    """Return a text as the graph takes it, which can't compose letters, and whose old small letters vary."""
    return composed(text) if reading == "folded" else lowered(text)


def pieces(
    text: str,
    split: str,
    max_length: int,
    ngrams: int = 1,
    character_ngrams: Sequence[int] | None = None,
    reading: Reading = "lowered",
) -> list[str]:
    """Return the words or characters of a text, and their n-grams.

    Args:
        text: One text.
        split: `words` or `characters`.
        max_length: Words or characters that are read.
        ngrams: Longest run of words that is a piece.
        character_ngrams: Shortest and longest run of characters within a word that is a piece, or nothing.
        reading: How letters are read.

    Example:

    >>> pieces("Not bad!", split="words", max_length=9, ngrams=2)
    ['not', 'bad', '!', 'not bad', 'bad !']
    """
    small = folded if reading == "folded" else lowered
    text = small(text).replace("\0", " ")
    text = text if text.strip(" \t\n\v\f\r") else EMPTY
    if split == "words":
        apart = _marked_apart(text) if reading == "folded" else text.translate(_apart)
        words = [word for word in re.split(r"[ \t\n\v\f\r]+", apart) if word]
    elif reading == "folded":
        words = _letters(re.sub(r"[ \t\n\v\f\r]+", "", text))
    else:
        words = list(re.sub(r"[ \t\n\f\r]+", "", text))
    words = [word[:LONGEST_WORD] for word in words[:max_length]]
    cut = [" ".join(run) for length in range(1, ngrams + 1) for run in _runs(words, length)]
    if character_ngrams is not None:
        shortest, longest = character_ngrams
        cut += [
            INNER + run
            for word in words
            for length in range(shortest, longest + 1)
            for run in _runs(f"<{word}>", length)
        ]
    return cut


def _letters(text: str) -> list[str]:
    """Return the characters of a text, each with its marks."""
    letters: list[str] = []
    for character in text:
        if letters and is_mark(character):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _marked_apart(text: str) -> str:
    """Return a text with blanks around all that is no letter, digit, mark of one, blank or apostrophe."""
    if text.isascii():
        return text.translate(_apart)
    parts: list[str] = []
    for character in text:
        if _is_inside(character):
            parts.append(character)
        elif unicodedata.category(character)[0] != "M":
            parts += [" ", character, " "]
        elif parts and parts[-1] == " " and len(parts) > 1 and not _is_inside(parts[-2][0]):
            parts[-2] += character  # of the sign before it
        else:
            parts.append(character)
    return "".join(parts)


def _is_inside(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN" or character in f"' \t\n\f\r{JOINERS}"


def _runs(parts: Any, length: int) -> Iterator[Any]:
    return (parts[start : start + length] for start in range(len(parts) - length + 1))


class _Apart(dict[int, str]):
    """Sets blanks around every character that is no letter, digit, blank or apostrophe."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        inside = unicodedata.category(character)[0] in "LN" or character in "' \t\n\f\r"
        self[code] = character if inside else f" {character} "
        return self[code]


_apart = _Apart()

if __name__ == "__main__":
    main(Predictor)

"""Answers from an export of a text classification, without Keras."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
            return {"text": np.array(texts, object)}
        rows = [
            [self.ids.get(piece, UNKNOWN) for piece in pieces(text, **self.settings["pieces"])]
            for text in texts
        ]
        ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
        for row, numbers in zip(ids, rows, strict=True):
            row[: len(numbers)] = numbers
        return {"ids": ids}


def pieces(
    text: str, split: str, max_length: int, ngrams: int = 1, character_ngrams: Sequence[int] | None = None
) -> list[str]:
    """Return the words or characters of a text, and their n-grams.

    Args:
        text: One text.
        split: `words` or `characters`.
        max_length: Words or characters that are read.
        ngrams: Longest run of words that is a piece.
        character_ngrams: Shortest and longest run of characters within a word that is a piece, or nothing.

    Example:

    >>> pieces("Not bad!", split="words", max_length=9, ngrams=2)
    ['not', 'bad', '!', 'not bad', 'bad !']
    """
    text = text.replace("\0", " ").lower()
    text = text if text.strip(" \t\n\v\f\r") else EMPTY
    if split == "characters":
        words = list(re.sub(r"[ \t\n\f\r]+", "", text))
    else:
        words = [word for word in re.split(r"[ \t\n\v\f\r]+", text.translate(_apart)) if word]
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

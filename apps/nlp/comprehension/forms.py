"""Forms of words by which those of a question are found in a text again; needs NumPy alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from apps.nlp.words import Split
from core.data.letters import composed, folded

NUM_FORMS = 4
STEMS = (6, 4)  # letters that words of one stem begin with, mostly
LARGEST = 0x7FFFFFFF


def forms_of(words: Sequence[str], split: Split) -> np.ndarray:
    """Return what two words must share to be taken for the same, as numbers; equal forms, equal numbers.

    Of words these are the word as written, in small letters, and their beginnings; of characters the
    character, that with the next, that with the one before, and with both.

    Args:
        words: Of a text.
        split: What they are.

    Returns:
        int32 from 1 on, `(num_words, NUM_FORMS)`.

    Example:

    >>> one, other = forms_of(["Planned", "planning"], "words")
    >>> (one == other).tolist()
    [False, False, False, True]
    """
    if split == "words":
        texts = [_forms_of_word(word) for word in words]
    else:
        keys = ["", *map(folded, words), ""]
        around = zip(keys, keys[1:], keys[2:], strict=False)
        texts = [
            (key, f"{key}{after}>", f"<{before}{key}", f"<{before}{key}{after}>")
            for before, key, after in around
        ]
    numbers = [[_number(text) for text in own] for own in texts]
    return np.array(numbers, np.int32).reshape(-1, NUM_FORMS)


def _forms_of_word(word: str) -> tuple[str, ...]:
    key = folded(word)
    return composed(word), key, *(key[:length] for length in STEMS)


def _number(text: str) -> int:
    return max(zlib.crc32(text.encode("utf-8", "surrogatepass")) & LARGEST, 1)

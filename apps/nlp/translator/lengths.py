"""How texts become ids, and the few lengths to which these are padded; needs NumPy alone."""

from __future__ import annotations

import numpy as np

from apps.nlp.subwords.subwords import Subwords

LENGTHS = np.array([8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024])
"""To which texts are padded: few, since each may cost a compilation; at most half too long."""


def bucket(length: int) -> int:
    """Return the least of the few lengths that holds so many tokens.

    Example:

    >>> bucket(7), bucket(25), bucket(32)
    (8, 32, 32)
    """
    return int(LENGTHS[min(int(np.searchsorted(LENGTHS, length)), len(LENGTHS) - 1)])


def ids_of(text: str, subwords: Subwords) -> np.ndarray:
    """Return the ids of a text without its end, int32."""
    return subwords.ids(as_read(text, subwords))


def as_read(text: str, subwords: Subwords) -> str:
    """Return a text as sub-words are made of it: without blanks at its ends.

    Of runs of bytes, with a blank before the first word, so that this is cut as one within a text.
    """
    text = text.strip()
    return f" {text}" if text and subwords.kind in ("bpe", "unigram") else text

"""The nearest neighbour of a translation memory: a rival that can only say what was said before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

AT_ONCE = 512  # texts that are compared with the memory at a time


def text_kinds() -> list[TfidfVectorizer]:
    """Return what texts are compared by: TF-IDF over words and their pairs, and over runs of characters."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return [
        TfidfVectorizer(
            token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32
        ),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32),
    ]


def nearest_translations(sources: Sequence[str], targets: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return for each text the translation of the text in memory that is most like it.

    Two texts are alike by the cosine of their TF-IDF over words and pairs of words, and over runs of 2 to 4
    characters where words tell nothing, as in scripts without blanks.

    Args:
        sources: Texts of the memory.
        targets: Their translations.
        texts: To be translated.

    Example:

    >>> nearest_translations(["good morning", "good night"], ["guten Morgen", "gute Nacht"], ["night"])
    ['gute Nacht']
    """
    from scipy.sparse import hstack

    kinds = text_kinds()
    memory = hstack([kind.fit_transform(sources) for kind in kinds]).tocsr().T
    answers: list[str] = []
    for start in range(0, len(texts), AT_ONCE):
        asked = hstack([kind.transform(texts[start : start + AT_ONCE]) for kind in kinds]).tocsr()
        likeness = asked @ memory
        places = np.asarray(likeness.argmax(axis=1)).ravel()
        answers += [targets[place] for place in places]
    return answers

"""Word for word by the lexicon of IBM model 1: a rival that knows words and no grammar."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from core.metrics.translation import ALONE, bleu_tokens

ROUNDS = 5
NOTHING = 0  # the id of what words without a source come from
_JOINED = re.compile(f"(?<={ALONE.pattern}) | (?={ALONE.pattern})")
_BEFORE = re.compile(r" (?=[.,;:!?%)\]}])|(?<=[(\[{]) ")


class WordForWord:
    """A lexicon from words to the words that they are most often translated by.

    Args:
        sources: Texts.
        targets: Their translations.
        rounds: Of expectation and maximisation.

    Reference:
        Brown et al., The Mathematics of Statistical Machine Translation (1993), section 4.1

    Example:

    >>> lexicon = WordForWord(["a dog", "a cat", "dog", "cat"], ["ein Hund", "eine Katze", "Hund", "Katze"])
    >>> lexicon.translated("dog and cat")
    'Hund and Katze'
    """

    def __init__(self, sources: Sequence[str], targets: Sequence[str], rounds: int = ROUNDS) -> None:
        self._known: dict[str, int] = {}
        self._names: list[str] = []
        self._best = np.zeros(0, np.int64)
        self._learn(sources, targets, rounds)

    def translated(self, text: str) -> str:
        """Return a text with each word that is known replaced by its likeliest translation."""
        words = []
        for word in bleu_tokens(text):
            place = self._known.get(word, self._known.get(word.lower(), NOTHING))
            words.append(self._names[self._best[place]] if place != NOTHING else word)
        return _BEFORE.sub("", _JOINED.sub("", " ".join(words)))

    def _learn(self, sources: Sequence[str], targets: Sequence[str], rounds: int) -> None:
        own, known = _numbered([bleu_tokens(text) for text in sources], first=NOTHING + 1)
        theirs, names = _numbered([bleu_tokens(text) for text in targets], first=0)
        self._known, self._names = known, list(names)
        # Each word of a target beside each of its source, and beside nothing.
        first, second, group = _side_by_side(own, theirs)
        keys, pairs = np.unique(first * len(names) + second, return_inverse=True)
        of_source, of_target = np.divmod(keys, len(names))
        chances = np.full(len(keys), 1.0 / max(len(names), 1))
        for _ in range(rounds):
            each = chances[pairs]
            each /= np.maximum(np.bincount(group, each), 1e-300)[group]
            counts = np.bincount(pairs, each, minlength=len(keys))
            chances = counts / np.bincount(of_source, counts)[of_source]
        self._best = np.zeros(len(known) + 1, np.int64)
        order = np.lexsort((-of_target, chances))  # of equally likely ones, the first that was seen is last
        self._best[of_source[order]] = of_target[order]


def _numbered(texts: Sequence[Sequence[str]], first: int) -> tuple[list[np.ndarray], dict[str, int]]:
    known: dict[str, int] = {}
    rows = [
        np.array([known.setdefault(word, len(known) + first) for word in words], np.int64) for words in texts
    ]
    return rows, known


def _side_by_side(
    sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the words of all pairs, and which word of which target each pair is about, int64 each."""
    source_lengths = np.array([len(each) + 1 for each in sources])
    target_lengths = np.array([len(each) for each in targets])
    first = np.concatenate(
        [np.tile(np.append(own, NOTHING), len(theirs)) for own, theirs in zip(sources, targets, strict=True)]
    )
    of_word = np.repeat(source_lengths, target_lengths)
    second = np.repeat(np.concatenate([*targets]), of_word)
    return first, second, np.repeat(np.arange(len(of_word)), of_word)

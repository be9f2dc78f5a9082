"""Which words of a stream of ids are masked, and the mark that stands for them."""

from __future__ import annotations

import numpy as np

from apps.nlp.subwords.subwords import END, Subwords

NAME = "mask"
"""The name of the id that stands for what is masked."""
MARK = "[MASK]"
"""What stands for a masked sub-word in texts that people write."""
SHARE = 0.15  # of the words that are masked


def mask_id(subwords: Subwords) -> int:
    """Return the id that stands for what is masked."""
    return subwords.special[NAME]


def words_of(ids: np.ndarray, subwords: Subwords) -> np.ndarray:
    """Return the number of the word that each id is part of, int32, rising from 0.

    A sub-word goes on a word where it begins with a letter or digit and the one before ends with one.
    Bytes that are no ASCII count as letters.

    Args:
        ids: Of texts end to end, int32, shape `(num_ids,)`.
        subwords: What cut them.

    Example:

    >>> from apps.nlp.subwords.learnt import learnt_subwords
    >>> subwords = learnt_subwords(["low lower"], "bpe", 256).subwords
    >>> words_of(subwords.ids("low, so"), subwords).tolist()
    [0, 0, 0, 1, 2, 2, 2]
    """
    held = [subwords.held(id_) for id_ in range(subwords.size)]
    opens, closes = (
        np.array([bool(each) and _is_of_words(each[edge]) for each in held], bool) for edge in (0, -1)
    )
    goes_on = np.zeros(len(ids), bool)
    goes_on[1:] = opens[ids[1:]] & closes[ids[:-1]]
    # A blank that is cut off from its word, as where training saw it seldom, is part of it.
    blank = np.array([each == b" " for each in held], bool)
    goes_on[1:] |= blank[ids[:-1]] & opens[ids[1:]]
    return (np.cumsum(~goes_on) - 1).astype(np.int32)


def _is_of_words(byte: int) -> bool:
    return byte >= 0x80 or chr(byte).isalnum()


def chosen_places(ids: np.ndarray, words: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return which ids are masked for judging, bool: whole words, the same for the same seed.

    Args:
        ids: Int32, shape `(num_ids,)`.
        words: The word of each; `np.arange(num_ids)` masks sub-words by themselves.
        share: Of the words.
        seed: Of the choice.

    Returns:
        Shape `(num_ids,)`; ends of texts are never masked, and at least one other id is.
    """
    drawn = np.random.default_rng([seed, 0x6D61736B]).random(int(words[-1]) + 1)
    is_word = np.zeros(len(drawn), bool)
    is_word[words[ids != END]] = True
    chosen = (drawn < share) & is_word
    if not chosen.any():
        chosen[np.argmin(np.where(is_word, drawn, 2.0))] = is_word.any()
    return np.asarray(chosen[words] & (ids != END))

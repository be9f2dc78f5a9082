"""BLEU and chrF of generated texts: counts of each text, whose sums give the figures of all of them.

Neither is a mean over texts, so a figure of some of them is made of the sum of their counts. They read
strings, outside of the graph, on any backend.
"""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np

BLEU_ORDER = 4
CHRF_ORDER = 6
CHRF_BETA = 2
SCALE = 100.0

# Scripts written without blanks between words, with their punctuation: kana, ideographs and full-width forms.
ALONE = re.compile(
    "([\u2e80-\u2fdf\u3000-\u30ff\u3100-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef])"
)
SYMBOLS = re.compile(r"([!-&(-+/:-@\[-`{-~])")
NOT_AFTER_A_DIGIT = re.compile(r"([^0-9])([.,])")
NOT_BEFORE_A_DIGIT = re.compile(r"([.,])([^0-9])")
DASH_AFTER_A_DIGIT = re.compile(r"([0-9])(-)")
ENTITIES = re.compile("&(?:quot|amp|lt|gt);")


def bleu_tokens(text: str) -> list[str]:
    """Return the tokens that BLEU is counted in: those of NIST's script, ideographs and kana one by one.

    Args:
        text: As it was written; capitals count.

    Source: NIST, mteval-v13a.pl (2009), the tokens of WMT and of sacreBLEU's `13a`; for texts in Chinese
    those of sacreBLEU's `zh`.

    Example:

    >>> bleu_tokens("It's 3.5%, isn't it?")
    ["It's", '3.5', '%', ',', "isn't", 'it', '?']
    """
    text = ENTITIES.sub(lambda entity: html.unescape(entity[0]), text.replace("\n", " "))
    text = " " + ALONE.sub(r" \1 ", text) + " "
    text = SYMBOLS.sub(r" \1 ", text)
    text = NOT_AFTER_A_DIGIT.sub(r"\1 \2 ", text)
    text = NOT_BEFORE_A_DIGIT.sub(r" \1 \2", text)
    return DASH_AFTER_A_DIGIT.sub(r"\1 \2 ", text).split()


def _ngrams(items: Sequence[str] | str, order: int) -> Counter:
    return Counter(tuple(items[place : place + order]) for place in range(len(items) - order + 1))


def bleu_counts(predicted: str, references: Sequence[str]) -> np.ndarray:
    """Return what BLEU needs of one text: its length, that of the closest reference, matches, and n-grams.

    Args:
        predicted: The text that is judged.
        references: At least one.

    Returns:
        float64, shape `(10,)`: two lengths, the matches of 1 to 4 tokens, and how many n-grams there are.
    """
    said, written = bleu_tokens(predicted), [bleu_tokens(reference) for reference in references]
    closest = min((len(each) for each in written), key=lambda length: (abs(length - len(said)), length))
    matches, totals = [], []
    for order in range(1, BLEU_ORDER + 1):
        own = _ngrams(said, order)
        most = reduce(lambda one, other: one | other, (_ngrams(each, order) for each in written))
        matches.append(sum((own & most).values()))
        totals.append(sum(own.values()))
    return np.array([len(said), closest, *matches, *totals], np.float64)


def bleu_of(counts: np.ndarray, *, effective_order: bool = False) -> float:
    """Return BLEU, 0 to 100, of texts whose counts are summed.

    An order without any match counts as half of one, the next as a quarter, as in NIST's script.

    Args:
        counts: Sum of what `bleu_counts` gives, shape `(10,)`.
        effective_order: Leave out orders that the texts are too short for; for the figure of a single text.

    Source: Papineni et al., BLEU (2002), section 2.3.

    Example:

    >>> round(bleu_of(bleu_counts("the cat sat on the mat", ["the cat sat on a mat"])), 2)
    53.73
    """
    length, closest = counts[:2]
    matches, totals = counts[2 : 2 + BLEU_ORDER], counts[2 + BLEU_ORDER :]
    orders = int((totals > 0).sum())
    if not matches.any() or (orders < BLEU_ORDER and not effective_order):
        return 0.0
    logs, missing = [], 0
    for match, total in zip(matches[:orders], totals[:orders], strict=True):
        missing += match == 0
        logs.append(math.log((match or 0.5**missing) / total))
    brevity = min(0.0, 1 - closest / length)
    return SCALE * math.exp(brevity + sum(logs) / orders)


def chrf_counts(predicted: str, references: Sequence[str]) -> np.ndarray:
    """Return what chrF needs of one text, beside the reference that it is most like.

    Args:
        predicted: The text that is judged.
        references: At least one.

    Returns:
        float64, shape `(18,)`: for 1 to 6 characters without blanks, how many n-grams the text has, how many
        the reference, and how many both.
    """
    candidates = [np.array(list(_chrf_counts(predicted, each)), np.float64).ravel() for each in references]
    return max(candidates, key=chrf_of)


def _chrf_counts(predicted: str, reference: str) -> Iterator[tuple[int, int, int]]:
    said, written = ("".join(text.split()) for text in (predicted, reference))
    for order in range(1, CHRF_ORDER + 1):
        own, theirs = _ngrams(said, order), _ngrams(written, order)
        # What a reference is too short for is not held against the text.
        yield sum(own.values()) if theirs else 0, sum(theirs.values()), sum((own & theirs).values())


def chrf_of(counts: np.ndarray) -> float:
    """Return chrF, 0 to 100, of texts whose counts are summed.

    Precision and recall are means over the orders that both sides are long enough for; recall weighs twice.

    Args:
        counts: Sum of what `chrf_counts` gives, shape `(18,)`.

    Source: Popović, chrF (2015), with the beta of 2 that its author settled on.

    Example:

    >>> round(chrf_of(chrf_counts("the cat sat on the mat", ["the cat sat on a mat"])), 2)
    72.08
    """
    said, written, both = counts.reshape(CHRF_ORDER, 3).T
    long_enough = (said > 0) & (written > 0)
    if not long_enough.any():
        return 0.0
    precision = float((both[long_enough] / said[long_enough]).mean())
    recall = float((both[long_enough] / written[long_enough]).mean())
    if not precision + recall:
        return 0.0
    factor = CHRF_BETA**2
    return SCALE * (1 + factor) * precision * recall / (factor * precision + recall)

"""Where two texts differ, and what is wrong with one at a glance: length, repetition, a copied source."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Literal

from core.answers.texts.measures import Repetition
from core.shown import Mark

MISSING, WRONG = 0, 1  # tones
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# An ideograph or a kana alone, or a run of anything else that is neither blank nor one.
WORDS = re.compile(f"[{IDEOGRAPHS}]|[^{IDEOGRAPHS}\\s]+")
LEAST_WORDS = 4  # of a reference whose length says something
SHORT, LONG = 0.5, 1.5
REPEATED = 0.25  # share of runs of words that stand there again

Fault = Literal["empty", "too short", "too long", "repeats itself", "copies the source"]
FAULTS: tuple[Fault, ...] = ("empty", "too short", "too long", "repeats itself", "copies the source")


def num_words(text: str) -> int:
    """Return how many words a text has; ideographs and kana count one by one.

    Example:

    >>> num_words("two words"), num_words("三个字")
    (2, 3)
    """
    return len(WORDS.findall(text))


def differences(predicted: str, reference: str) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    """Return what of a text is not in its reference, and what of the reference the text lacks, as marks.

    Args:
        predicted: The text.
        reference: What it should be.

    Example:

    >>> wrong, missing = differences("a cat sat", "the cat sat down")
    >>> [(mark.start, mark.end) for mark in wrong], [(mark.start, mark.end) for mark in missing]
    ([(0, 1)], [(0, 3), (12, 16)])
    """
    said, written = (list(WORDS.finditer(text)) for text in (predicted, reference))
    matcher = difflib.SequenceMatcher(
        None, [word[0] for word in said], [word[0] for word in written], autojunk=False
    )
    wrong, missing = [], []
    for tag, first, last, reference_first, reference_last in matcher.get_opcodes():
        if tag == "equal":
            continue
        if last > first:
            wrong.append(Mark(said[first].start(), said[last - 1].end(), "", WRONG))
        if reference_last > reference_first:
            span = written[reference_first].start(), written[reference_last - 1].end()
            missing.append(Mark(*span, "", MISSING))
    return tuple(wrong), tuple(missing)


def nearest(predicted: str, references: Sequence[str]) -> str | None:
    """Return the reference that shares most words with a text, in order; nothing where there is none."""

    def likeness(reference: str) -> float:
        said, written = WORDS.findall(predicted), WORDS.findall(reference)
        return difflib.SequenceMatcher(None, said, written, autojunk=False).ratio()

    if len(references) < 2:
        return references[0] if references else None
    return max(references, key=likeness)


def faults_of(predicted: str, references: Sequence[str], source: str | None) -> list[Fault]:
    """Return what is wrong with a text at a glance.

    Args:
        predicted: The text.
        references: Those of people; may be none.
        source: What it was made from, if it was from a text.

    Example:

    >>> faults_of("so so so so so so so so", ["it went so well today"], None)
    ['too long', 'repeats itself']
    """
    if not predicted.strip():
        return ["empty"] if all(each.strip() for each in references) else []
    faults: list[Fault] = []
    length = num_words(predicted)
    lengths = [num_words(each) for each in references]
    if lengths and min(lengths) >= LEAST_WORDS:
        if length < SHORT * min(lengths):
            faults.append("too short")
        if length > LONG * max(lengths):
            faults.append("too long")
    repetition = Repetition()
    if repetition.value(repetition.counts(predicted, ())) > REPEATED and predicted not in references:
        faults.append("repeats itself")
    if source is not None and predicted.split() == source.split() and predicted not in references:
        faults.append("copies the source")
    return faults

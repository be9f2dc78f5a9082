"""How far an answer agrees with what people answered: exact match and F1, after SQuAD or after CMRC."""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Literal

Units = Literal["words", "characters"]

ARTICLES = re.compile(r"\b(a|an|the)\b")
IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff"
# An ideograph alone, or a run of anything else that is neither blank nor one.
SEGMENTS = re.compile(f"[{IDEOGRAPHS}]|[^{IDEOGRAPHS}\\s]+")


def normalized(text: str, units: Units = "words") -> str:
    """Return a text without what makes no difference to an answer.

    Args:
        text: Of an answer.
        units: By `words`, as SQuAD judges English: in small letters, without ASCII punctuation, articles
            and repeated blanks. By `characters`, as CMRC judges Chinese, for texts without blanks between
            words: in small letters, without punctuation and symbols of any script; nothing else is left out.

    Source: Rajpurkar et al., SQuAD (2016), section 6.1; Cui et al., CMRC (2019), section 3.

    Example:

    >>> normalized("The  Eiffel Tower!"), normalized("《红楼梦》", "characters")
    ('eiffel tower', '红楼梦')
    """
    text = text.lower()
    if units == "characters":
        text = "".join(" " if unicodedata.category(each)[0] in "PS" else each for each in text)
        return " ".join(text.split())
    text = text.translate(str.maketrans("", "", string.punctuation))
    return " ".join(ARTICLES.sub(" ", text).split())


def segments(text: str, units: Units = "words") -> list[str]:
    """Return what F1 is counted in: words, or by `characters` each ideograph and each run of other letters.

    Example:

    >>> segments("在 Linux 上", "characters")
    ['在', 'linux', '上']
    """
    plain = normalized(text, units)
    return plain.split() if units == "words" else SEGMENTS.findall(plain)


def agreement(predicted: str, references: Sequence[str], units: Units = "words") -> tuple[float, float]:
    """Return exact match and F1 of an answer, each with the reference that it agrees with most.

    Args:
        predicted: The answer; empty where none is given.
        references: Those of people; none where the question has no answer in its context.
        units: As in `normalized`. By `characters` what two answers share is their longest common run, as in
            CMRC, by `words` all words of both.

    Example:

    >>> agreement("in Paris", ["Paris", "Paris, France"])
    (0.0, 0.6666666666666666)
    >>> agreement("", [])
    (1.0, 1.0)
    """
    pairs = [_with_one(predicted, reference, units) for reference in references or [""]]
    return max(exact for exact, _ in pairs), max(f1 for _, f1 in pairs)


def _with_one(predicted: str, reference: str, units: Units) -> tuple[float, float]:
    said, true = segments(predicted, units), segments(reference, units)
    exact = float(said == true)
    if not said or not true:
        return exact, exact
    shared = sum((Counter(said) & Counter(true)).values()) if units == "words" else longest_run(said, true)
    return exact, 2 * shared / (len(said) + len(true))


def longest_run(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest run of items that stands in both.

    Example:

    >>> longest_run("abcd", "xbcy")
    2
    """
    best = 0
    ending = [0] * (len(other) + 1)
    for item in one:
        before = ending
        ending = [0] * (len(other) + 1)
        for place, each in enumerate(other, start=1):
            if item == each:
                ending[place] = before[place - 1] + 1
                best = max(best, ending[place])
    return best


Error = Literal["right", "too long", "too short", "shifted", "elsewhere", "not answered", "not answerable"]
ERRORS: tuple[Error, ...] = (
    "too long", "too short", "shifted", "elsewhere", "not answered", "not answerable",
)  # fmt: skip


def error_of(predicted: str, references: Sequence[str], units: Units = "words") -> Error:
    """Return in which way an answer is wrong, or that it is right.

    Args:
        predicted: The answer; empty where none is given.
        references: Those of people; none where the question has no answer in its context.
        units: As in `normalized`.

    Example:

    >>> error_of("in Paris", ["Paris"]), error_of("Rome", ["Paris"]), error_of("Paris", [])
    ('too long', 'elsewhere', 'not answerable')
    """
    exact, f1 = agreement(predicted, references, units)
    if exact:
        return "right"
    said, answers = segments(predicted, units), [segments(each, units) for each in references]
    if not any(answers):
        return "not answerable"
    if not said:
        return "not answered"
    if any(answer and longest_run(said, answer) == len(answer) for answer in answers):
        return "too long"
    if any(longest_run(said, answer) == len(said) for answer in answers):
        return "too short"
    return "shifted" if f1 else "elsewhere"

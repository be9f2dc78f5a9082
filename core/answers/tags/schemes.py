"""Schemes of tags: which one tags are of, how they are read whatever it is, and how entities are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from core.answers.tags.entities import Entity, entities_of

Scheme = Literal["iob1", "iob2", "bioes", "bmes"]
SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bmes")
# What begins an entity, goes on with it, ends it, and is one alone.
_WRITTEN = {"iob2": tuple("BIIB"), "bioes": tuple("BIES"), "bmes": tuple("BMES")}
_WITHOUT_BEGIN = tuple("IIII")


def scheme_of(sentences: Iterable[Sequence[str]]) -> Scheme:
    """Return the scheme that tags are of, by the marks that stand in them.

    `B` and `I` alone are IOB1 if, after another type or none, more entities begin with `I` than with `B`.

    Args:
        sentences: A tag a word of each.

    Example:

    >>> scheme_of([["B-PER", "E-PER", "O", "S-LOC"]]), scheme_of([["I-PER", "I-PER", "B-PER"]])
    ('bioes', 'iob1')
    """
    marks = {"B": 0, "I": 0, "M": 0, "E": 0, "S": 0}
    begun_by = {"B": 0, "I": 0}
    for tags in sentences:
        before = ""
        for tag in tags:
            mark, _, name = tag.partition("-")
            if mark in marks:
                marks[mark] += 1
                if mark in begun_by and before != name:
                    begun_by[mark] += 1
            before = name
    if marks["M"]:
        return "bmes"
    if marks["E"] or marks["S"]:
        return "bioes"
    return "iob1" if begun_by["I"] > begun_by["B"] else "iob2"


def read_tags(tags: Sequence[str], scheme: Scheme) -> tuple[list[Entity], int]:
    """Return the entities of a sentence in order, and how many of them break the rules of their scheme.

    What breaks them is read as the evaluation script of CoNLL does: an entity begins where its type does,
    and ends before another.

    Args:
        tags: A tag a word.
        scheme: Of the tags.

    Raises:
        ValueError: A tag is not of the scheme.

    Example:

    >>> read_tags(["O", "I-PER", "I-PER"], "iob2")
    ([Entity(type='PER', first=1, last=2)], 1)
    """
    strict = set(entities_of(tags, scheme))
    lenient = entities_of([f"I{tag[1:]}" if tag.startswith("M-") else tag for tag in tags], "conll")
    return lenient, sum(entity not in strict for entity in lenient)


def tags_of(entities: Iterable[Entity], num_words: int, scheme: Scheme = "iob2") -> list[str]:
    """Return a tag a word.

    Args:
        entities: Of a sentence; none overlaps another.
        num_words: Of the sentence.
        scheme: Of the tags.

    Example:

    >>> tags_of([Entity("PER", 0, 1), Entity("LOC", 3, 3)], 5, "bmes")
    ['B-PER', 'E-PER', 'O', 'S-LOC', 'O']
    """
    tags = ["O"] * num_words
    ended_by = ("", -1)
    for entity in sorted(entities, key=lambda each: each.first):
        begin, inside, end, alone = _WRITTEN.get(scheme, _WITHOUT_BEGIN)
        if scheme == "iob1" and ended_by == (entity.type, entity.first - 1):
            begin = alone = "B"
        length = entity.last - entity.first + 1
        marks = [alone] if length == 1 else [begin, *[inside] * (length - 2), end]
        tags[entity.first : entity.last + 1] = [f"{mark}-{entity.type}" for mark in marks]
        ended_by = (entity.type, entity.last)
    return tags

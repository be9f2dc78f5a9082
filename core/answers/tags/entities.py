"""The entities of a tagged sentence: where they stand in its text, and how an answer misses the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

Error = Literal["wrong type", "wrong boundary", "wrong both", "missed", "invented"]
ERRORS: tuple[Error, ...] = ("wrong type", "wrong boundary", "wrong both", "missed", "invented")


class Entity(NamedTuple):
    """Words that have a type together.

    Args:
        type: Of the entity.
        first: Index of its first word.
        last: Of its last.
    """

    type: str
    first: int
    last: int


def entities_of(tags: Sequence[str], scheme: str) -> list[Entity]:
    """Return the entities of a sentence in order, read as strictly as seqeval does.

    Args:
        tags: A tag a word.
        scheme: Of the tags: `iob1`, `iob2`, `bioes` or `bmes`, in small letters or capitals.

    Raises:
        ValueError: The scheme does not exist, or a tag is not of it.

    Example:

    >>> entities_of(["B-PER", "I-PER", "O", "B-LOC"], "IOB2")
    [Entity(type='PER', first=0, last=1), Entity(type='LOC', first=3, last=3)]
    """
    from core.metrics.entities import entities_of as read  # which imports Keras

    entities = (Entity(*entity) for entity in read(tags, scheme.lower()))
    return sorted(entities, key=lambda entity: entity.first)


def errors_between(
    true: Sequence[Entity], predicted: Sequence[Entity]
) -> list[tuple[Error, Entity | None, Entity | None]]:
    """Return every way in which an answer is wrong: each error, the true entity and the predicted one.

    A true entity is set beside the predicted one that overlaps it and is most like it: at the same words,
    else of the same type, else any. What overlaps nothing is missed or invented.

    Args:
        true: Entities of the truth, in order.
        predicted: Of the answer, in order.

    Example:

    >>> [error for error, *_ in errors_between([Entity("PER", 0, 1)], [Entity("LOC", 0, 1)])]
    ['wrong type']
    """
    right = set(true) & set(predicted)
    open_true = [entity for entity in true if entity not in right]
    open_predicted = [entity for entity in predicted if entity not in right]
    errors: list[tuple[Error, Entity | None, Entity | None]] = []
    used: set[Entity] = set()
    for entity in open_true:
        rivals = [each for each in open_predicted if _overlap(entity, each)]
        if not rivals:
            errors.append(("missed", entity, None))
            continue
        nearest = min(rivals, key=lambda each: _kinds(entity, each))
        used.update(rivals)
        errors.append((_error(entity, nearest), entity, nearest))
    errors += [("invented", None, entity) for entity in open_predicted if entity not in used]
    return errors


def _overlap(one: Entity, other: Entity) -> bool:
    return one.first <= other.last and other.first <= one.last


def _kinds(true: Entity, predicted: Entity) -> tuple[bool, bool]:
    return true[1:] != predicted[1:], true.type != predicted.type


def _error(true: Entity, predicted: Entity) -> Error:
    elsewhere, other_type = _kinds(true, predicted)
    if elsewhere and other_type:
        return "wrong both"
    return "wrong boundary" if elsewhere else "wrong type"


def placed(words: Sequence[str], text: str | None) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of a sentence, and where each word stands in it, in characters.

    Args:
        words: Of the sentence.
        text: As it was written; without it, or where the words don't stand in it one after the other, they
            are joined by blanks.

    Example:

    >>> placed(["Ann", "'s"], "Ann's")
    ("Ann's", [(0, 3), (3, 5)])
    >>> placed(["Ann", "lives"], None)
    ('Ann lives', [(0, 3), (4, 9)])
    """
    written = text if text is not None else " ".join(words)
    places, end = [], 0
    for word in words:
        start = written.find(word, end)
        if start < 0:
            return placed(words, None)
        end = start + len(word)
        places.append((start, end))
    return written, places


def spans_of(
    words: Sequence[str], tags: Sequence[str], scheme: str, text: str | None
) -> list[dict[str, Any]]:
    """Return the entities of a sentence as an answer tells them to a person.

    Args:
        words: Of the sentence.
        tags: A tag a word.
        scheme: Of the tags.
        text: As it was written, if it was.

    Returns:
        One mapping an entity: `text`, `type`, and `start` and `end` in characters.

    Example:

    >>> spans_of(["Ann", "lives"], ["B-PER", "O"], "iob2", None)
    [{'text': 'Ann', 'type': 'PER', 'start': 0, 'end': 3}]
    """
    written, places = placed(words, text)
    spans = []
    for entity in entities_of(tags, scheme):
        start, end = places[entity.first][0], places[entity.last][1]
        spans.append({"text": written[start:end], "type": entity.type, "start": start, "end": end})
    return spans

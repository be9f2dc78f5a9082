"""The best tags of a sentence and how sure each entity is, from scores alone; needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from apps.nlp.words import Word

OUTSIDE = "O"


def chain_tags(types: Sequence[str]) -> list[str]:
    """Return the tags that a chain tells entities by: outside, and for each type begin, inside, end, alone.

    Example:

    >>> chain_tags(["PER"])
    ['O', 'B-PER', 'I-PER', 'E-PER', 'S-PER']
    """
    return [OUTSIDE, *(f"{mark}-{name}" for name in types for mark in "BIES")]


def chain_limits(tags: Sequence[str]) -> tuple[list[list[bool]], list[bool], list[bool]]:
    """Return which tag may follow which, which may be the first, and which the last.

    Args:
        tags: What `chain_tags` returned.

    Returns:
        Lists of bool: `len(tags)` of `len(tags)` (from, to); `len(tags)`; `len(tags)`.
    """
    is_open = {tag: tag[0] in "BI" for tag in tags}
    goes_on = {tag: tag[0] in "IE" for tag in tags}
    allowed = [
        [is_open[one] == goes_on[other] and (not is_open[one] or one[2:] == other[2:]) for other in tags]
        for one in tags
    ]
    return allowed, [not goes_on[tag] for tag in tags], [not is_open[tag] for tag in tags]


class Found(NamedTuple):
    """An entity that a chain has found.

    Args:
        type: Of the entity.
        first: Index of its first word.
        last: Of its last.
        probability: That exactly these words are an entity of exactly this type.
    """

    type: str
    first: int
    last: int
    probability: float


class Chain:
    """Reads the entities of a sentence from the scores of its words.

    Args:
        types: Of the entities, in the order of `chain_tags`.
        transitions: Scores of a tag after another, shape `(num_tags, num_tags)` (from, to).
        starts: Of the first tag, shape `(num_tags,)`.
        ends: Of the last tag, shape `(num_tags,)`.
    """

    def __init__(
        self, types: Sequence[str], transitions: np.ndarray, starts: np.ndarray, ends: np.ndarray
    ) -> None:
        self.tags = chain_tags(types)
        self.transitions, self.starts, self.ends = (
            np.asarray(scores, np.float64) for scores in (transitions, starts, ends)
        )

    def best(self, emissions: np.ndarray) -> list[int]:
        """Return the likeliest tags, by Viterbi's algorithm.

        Args:
            emissions: Shape `(num_words, num_tags)`.
        """
        if not len(emissions):
            return []
        state, pointers = self.starts + emissions[0], []
        for emission in emissions[1:]:
            scores = state[:, None] + self.transitions
            pointers.append(scores.argmax(axis=0))
            state = scores.max(axis=0) + emission
        path = [int((state + self.ends).argmax())]
        for came_from in reversed(pointers):
            path.append(int(came_from[path[-1]]))
        return path[::-1]

    def entities(self, emissions: np.ndarray) -> list[Found]:
        """Return the entities of the likeliest tags, in order.

        Args:
            emissions: Shape `(num_words, num_tags)`.
        """
        path = self.best(emissions)
        if not any(path):
            return []
        forward, backward = self._sums(emissions)
        total = _log_sum(forward[-1] + self.ends)
        found, first = [], 0
        for place, number in enumerate(path):
            mark, _, name = self.tags[number].partition("-")
            if mark in "BS":
                first = place
            if mark in "ES":
                log = forward[first, path[first]] + backward[place, number] - total
                log += sum(
                    self.transitions[path[each - 1], path[each]] + emissions[each, path[each]]
                    for each in range(first + 1, place + 1)
                )
                found.append(Found(name, first, place, float(min(np.exp(log), 1.0))))
        return found

    def _sums(self, emissions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the logs of the sums over all tags up to each word, and after it."""
        forward = np.zeros(emissions.shape)
        backward = np.zeros(emissions.shape)
        forward[0], backward[-1] = self.starts + emissions[0], self.ends
        for place in range(1, len(emissions)):
            forward[place] = _log_sum(forward[place - 1][:, None] + self.transitions) + emissions[place]
        for place in range(len(emissions) - 2, -1, -1):
            after = self.transitions + emissions[place + 1] + backward[place + 1]
            backward[place] = _log_sum(after.T)
        return forward, backward


def answer_of(text: str, words: Sequence[Word], found: Sequence[Found]) -> dict[str, Any]:
    """Return a text and its entities as an answer.

    Args:
        text: As it was written.
        words: Of the text.
        found: Its entities, in order.

    Returns:
        `text`, and `spans`: a mapping an entity, with `text`, `type`, `start`, `end` and `probability`.
    """
    spans = []
    for entity in found:
        start, end = words[entity.first].start, words[entity.last].end
        span = {"text": text[start:end], "type": entity.type, "start": start, "end": end}
        spans.append({**span, "probability": entity.probability})
    return {"text": text, "spans": spans}


def _log_sum(scores: np.ndarray) -> np.ndarray:
    """Return the log of the sum of exponentials over the first axis."""
    largest = scores.max(axis=0)
    return largest + np.log(np.exp(scores - largest).sum(axis=0))

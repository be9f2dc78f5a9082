"""Conversations as ids: how turns follow one another, what is learnt, and what is cut of long ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from apps.nlp.subwords.subwords import END, PADDING, Subwords

ROLES = ("system", "user", "assistant")
ROOM = 4  # of the window, the share that is kept for the answer is one by this


class Turn(NamedTuple):
    """What one of the roles says."""

    role: str
    text: str


def turns_of(conversation: str) -> list[Turn]:
    """Return the turns of a conversation that is kept as one text."""
    return [Turn(role, text) for role, text in json.loads(conversation)]


@dataclass(frozen=True)
class Prompt:
    """What is read before an answer.

    Args:
        ids: The role of each turn, its text, after an answer its end; at last the role of the assistant.
        dropped: Turns that were left out in the middle.
        cut: Turns of which the middle was left out.
    """

    ids: list[int]
    dropped: int = 0
    cut: int = 0

    @property
    def notes(self) -> list[str]:
        """What a reader of the answer should know."""
        notes = []
        if self.dropped:
            turns = "1 turn" if self.dropped == 1 else f"{self.dropped} turns"
            notes.append(f"the history is longer than the window: {turns} after the first left out")
        if self.cut:
            notes.append("a turn is longer than the window: its middle was left out")
        return notes


def ids_of(turn: Turn, subwords: Subwords) -> list[int]:
    """Return the ids of a turn: its role, its text, and the end of an answer."""
    ends = [END] if turn.role == "assistant" else []
    return [subwords.special[turn.role], *subwords.ids(turn.text).tolist(), *ends]


def prompt_of(turns: Sequence[list[int]], subwords: Subwords, context: int) -> Prompt:
    """Return the ids of a history, cut from the middle to leave a share of the window to the answer.

    Args:
        turns: Ids of each turn, the last of which is to be answered.
        subwords: What cut them.
        context: Tokens of the window.

    Example:

    >>> letters = Subwords("characters", ["a"], special=ROLES)
    >>> prompt_of([[4, 6], [5, 6, 1], [4, 6, 6]], letters, context=9).ids  # 6 tokens and the role
    [4, 6, 4, 6, 6, 5]
    """
    room = max(context - max(context // ROOM, 1) - 1, 2)  # without the role of the assistant
    start, end = subwords.special["assistant"], list(turns)
    first, last, middle = end[0], end[-1], end[1:-1]
    dropped = cut = 0
    if len(end) == 1:
        first = []
    while middle and sum(map(len, (first, *middle, last))) > room:
        middle = middle[1:]
        dropped += 1
    if len(first) + len(last) > room:
        shares = max(room // 2, room - len(last)), max(room - room // 2, room - len(first))
        cut = sum(len(ids) > share for ids, share in zip((first, last), shares, strict=True))
        first, last = (_without_middle(ids, share) for ids, share in zip((first, last), shares, strict=True))
    return Prompt([*first, *(each for ids in middle for each in ids), *last, start], dropped, cut)


def _without_middle(ids: list[int], length: int) -> list[int]:
    if len(ids) <= length:
        return ids
    return ids[: length - length // 2] + ids[len(ids) - length // 2 :]


class Row(NamedTuple):
    """What is learnt at once: ids, and for each the next, or padding where that is no part of an answer."""

    ids: np.ndarray
    targets: np.ndarray


def rows_of(turns: Sequence[Turn], subwords: Subwords, context: int) -> Iterator[Row]:
    """Yield a conversation as rows of at most the window's length, in which each answer is learnt once.

    A history before a row is cut as it is before an answer. Of an answer that is longer than what the window
    leaves, the beginning is learnt.

    Args:
        turns: Of a conversation, the last one the assistant's.
        subwords: What cuts them.
        context: Tokens of the window.
    """
    texts = [ids_of(turn, subwords) for turn in turns]
    place = 0
    while place < len(turns):
        later = range(max(place, 1), len(turns))  # what is said first answers nothing
        answer = next((at for at in later if turns[at].role == "assistant"), None)
        if answer is None:
            return
        given = prompt_of(texts[:answer], subwords, context).ids
        ids, learnt = list(given), [False] * len(given)
        place = answer
        while place < len(turns):
            own = texts[place][1:] if place == answer else texts[place]  # the role stands in the prompt
            if place > answer and len(ids) + len(own) > context + 1:
                break
            is_answer = turns[place].role == "assistant"
            ids += own
            learnt += [is_answer and (place == answer or at > 0) for at in range(len(own))]
            place += 1
        last = max(at for at, each in enumerate(learnt) if each)  # what stands after it teaches nothing
        ids, learnt = ids[: min(last, context) + 1], learnt[: min(last, context) + 1]
        targets = np.where(learnt[1:], ids[1:], PADDING)
        if targets.any():
            yield Row(np.array(ids[:-1], np.int32), targets.astype(np.int32))


@dataclass(frozen=True)
class Answer:
    """An answer of a conversation, and what stands before it.

    Args:
        row: Of the conversation among its examples.
        history: The turns before.
        text: Of the answer.
    """

    row: int
    history: list[Turn]
    text: str


def answers_of(conversations: Sequence[str]) -> list[Answer]:
    """Return each answer of conversations that are kept as texts."""
    answers = []
    for row, conversation in enumerate(conversations):
        turns = turns_of(str(conversation))
        answers += [
            Answer(row, turns[:place], turn.text)
            for place, turn in enumerate(turns)
            if place and turn.role == "assistant"
        ]
    return answers

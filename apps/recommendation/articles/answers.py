"""From a raw history and raw candidates to the candidates in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.recommendation.articles.encoder import NumberedImpressions, TitleEncoder
from apps.recommendation.articles.reader import Reader
from apps.recommendation.histories.questions import history_of
from core.data.examples import Ragged
from core.errors import UserError

SHOWN = 3  # unknown ids that a message names


@dataclass(frozen=True, eq=False)
class Asked:
    """Raw inputs, read.

    Args:
        titles: Of all articles that they name, one after another; number 0 is padding.
        tokens: Their words, int32, a row a title.
        impressions: As numbers of these titles; what was clicked is not known.
        shown: The id, where there is one, and the title of the candidates of each input.
        notes: What to say of each input, if anything.
    """

    titles: list[str]
    tokens: np.ndarray
    impressions: NumberedImpressions
    shown: list[list[tuple[str | None, str]]]
    notes: list[str]


def asked(inputs: Sequence[Any], encoder: TitleEncoder, *, title_length: int, history_length: int) -> Asked:
    """Return raw inputs as words and numbers of titles.

    Raises:
        UserError: An input is none, nothing is known of its history, or of a candidate.
    """
    titles = [""]
    history: list[np.ndarray] = []
    candidates: list[np.ndarray] = []
    named, notes = [], []
    for value in inputs:
        if not isinstance(value, Mapping) or set(value) != {"history", "candidates"}:
            raise UserError(
                "News takes a mapping with history (ids or titles) and candidates (one a line). "
                f"Received: {value!r}."
            )
        clicked, note = _clicked(value["history"], encoder)
        shown = _shown(value["candidates"], encoder)
        for rows, texts in (
            (history, clicked[-history_length:]),
            (candidates, [title for _, title in shown]),
        ):
            rows.append(np.arange(len(titles), len(titles) + len(texts)))
            titles += texts
        named.append(shown)
        notes.append(note)
    tokens = np.pad(encoder.tokens(titles[1:], title_length), [(1, 0), (0, 0)])
    numbers = Ragged.from_rows(candidates, np.int32)
    none = Ragged(np.zeros(len(numbers.values), bool), numbers.offsets)
    impressions = NumberedImpressions(Ragged.from_rows(history, np.int32), numbers, none)
    return Asked(titles, tokens, impressions, named, notes)


def answers(
    inputs: Sequence[Any], encoder: TitleEncoder, reader: Reader, *, title_length: int, history_length: int
) -> list[dict[str, Any]]:
    """Return the candidates of each input, best first.

    Raises:
        UserError: An input is none, nothing is known of its history, or of a candidate.
    """
    if not inputs:
        return []
    read = asked(inputs, encoder, title_length=title_length, history_length=history_length)
    scores = reader.scores(read.tokens, read.impressions)
    return [
        _ordered(shown, each) | ({"note": note} if note else {})
        for shown, each, note in zip(read.shown, scores, read.notes, strict=True)
    ]


def _ordered(shown: Sequence[tuple[str | None, str]], scores: np.ndarray) -> dict[str, Any]:
    rows = [
        {
            **({} if item is None else {"item": item}),
            "title": shown[place][1],
            "score": round(float(scores[place]), 4),
        }
        for place in np.argsort(-scores, kind="stable")
        for item in [shown[place][0]]
    ]
    return {"recommendations": rows}


def _clicked(value: Any, encoder: TitleEncoder) -> tuple[list[str], str]:
    """Return the titles of a history, and what to say of ids that are unknown."""
    history = history_of(value)
    titles = [encoder.title_of(each) for each in history]
    unknown = [each for each, title in zip(history, titles, strict=True) if title is None]
    named = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
    if len(unknown) == len(history):
        raise UserError(
            "No title is known for any id of this history: give ids of the training's news, or titles. "
            f"Received: {named}."
        )
    note = f"no title is known for {len(unknown)} of these {len(history)} ids: {named}" if unknown else ""
    return [title for title in titles if title is not None], note


def _shown(value: Any, encoder: TitleEncoder) -> list[tuple[str | None, str]]:
    """Return the id, where there is one, and the title of each candidate."""
    lines = value.splitlines() if isinstance(value, str) else value
    texts = [str(line).strip() for line in lines if str(line).strip()]
    if not texts:
        raise UserError("Candidates are titles, or ids of the training's news, one a line. Received: none.")
    shown = []
    for text in texts:
        title = encoder.title_of(text)
        if title is None:
            raise UserError(
                f"No title is known for this candidate: give its title instead of its id. Received: {text!r}."
            )
        shown.append((text if text in encoder.titles else None, title))
    return shown

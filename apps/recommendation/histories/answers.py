"""From raw histories to what is recommended after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.catalogue.interactions import UNKNOWN
from apps.recommendation.catalogue.judging import rankings
from apps.recommendation.histories.encoder import Histories, HistoryEncoder
from apps.recommendation.histories.questions import history_of, note_of_unknown

if TYPE_CHECKING:
    from apps.recommendation.catalogue.judging import ScoreUsers

ScoreHistories = Callable[[Histories], "ScoreUsers"]
"""From histories to the function from numbers of people, from 1, to their scores of all items."""


def recommended(score: ScoreUsers, seen: Any, top: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the best items for each person, best first, and their scores.

    Args:
        score: From numbers of people, from 1, to their scores of all items.
        seen: Sparse rows of people by items, which are left out; row 0 is nobody's.
        top: How many, at most.
    """
    for ranking in rankings(score, np.arange(1, seen.shape[0]), seen, top):
        for items, scores in zip(ranking.items, ranking.scores, strict=True):
            found = items != UNKNOWN
            yield items[found], scores[found]


def asked_histories(inputs: Sequence[Any], encoder: HistoryEncoder) -> tuple[Histories, list[str]]:
    """Return the numbered items of raw histories, and what to say of those that training never saw.

    Raises:
        UserError: An input is no history, or training saw none of its items.
    """
    raw = [history_of(value) for value in inputs]
    numbers = encoder.numbers(raw)
    notes = []
    for row, history in enumerate(raw):
        unknown = [item for item, number in zip(history, numbers[row], strict=True) if number == UNKNOWN]
        notes.append(note_of_unknown(history, unknown))
    return encoder.before(raw), notes


def answers(
    inputs: Sequence[Any], encoder: HistoryEncoder, score: ScoreHistories, top: int, *, masked: bool
) -> list[dict[str, Any]]:
    """Return what is recommended after each raw history.

    Args:
        inputs: Histories, as lists, mappings or text.
        encoder: Of the training.
        score: What ranks.
        top: How many items to recommend.
        masked: Whether items of a history are left out.

    Raises:
        UserError: An input is no history, or training saw none of its items.
    """
    if not inputs:
        return []
    histories, notes = asked_histories(inputs, encoder)
    listed = recommended(score(histories), histories.seen(masked=masked), top)
    return [
        {
            "recommendations": [
                {**encoder.item_name(item), "score": round(value, 4)}
                for item, value in zip(items.tolist(), scores.tolist(), strict=True)
            ],
            **({"note": note} if note else {}),
        }
        for (items, scores), note in zip(listed, notes, strict=True)
    ]

"""From raw questions to a recommender's answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.interactions import UNKNOWN, numbered
from apps.recommendation.judging import ScorePairs, ScoreUsers, rankings
from core.errors import UserError

if TYPE_CHECKING:
    from apps.recommendation.encoder import RatingsEncoder


@dataclass(frozen=True)
class Question:
    """What somebody wants to know: items for a user, or what the user will think of an item.

    Args:
        user: Raw id.
        item: Raw id, or nothing where items are wanted.
    """

    user: str
    item: str | None = None


def question(value: Any) -> Question:
    """Return what a raw input asks: a user id, or a user and an item as a mapping or as JSON text.

    Raises:
        UserError: It is neither.

    Example:

    >>> question(196), question('{"user": "196", "item": 50}')
    (Question(user='196', item=None), Question(user='196', item='50'))
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise UserError(f'A pair must be JSON, such as {{"user": "1", "item": "2"}}: {error}.') from None
    if isinstance(value, dict):
        if "user" not in value or not set(value) <= {"user", "item"}:
            raise UserError(
                f"A question has a user, and may have an item. Received the keys: {', '.join(value)}."
            )
        return Question(str(value["user"]), str(value["item"]) if "item" in value else None)
    if isinstance(value, str | int | np.integer) and str(value).strip():
        return Question(str(value).strip())
    raise UserError(f"A question is a user id, or a user and an item. Received: {value!r}.")


@dataclass(frozen=True, eq=False)
class Recommender:
    """A trained model as two functions, with what it needs to give answers.

    Args:
        encoder: Of the training.
        user_scores: From users to the scores of all items.
        pair_scores: From users and items to scores.
        seen: Sparse rows of users by items, which are not recommended again.
        top: How many items to recommend.
        score_name: What a score is called.
    """

    encoder: RatingsEncoder
    user_scores: ScoreUsers
    pair_scores: ScorePairs
    seen: Any
    top: int
    score_name: str

    def answers(self, questions: list[Question]) -> list[dict[str, Any]]:
        """Return one answer a question, in order."""
        users = numbered([asked.user for asked in questions], self.encoder.users)
        wants_items = np.array([asked.item is None for asked in questions], bool)
        answers: dict[int, dict[str, Any]] = {}
        rows = np.flatnonzero(~wants_items)
        answers.update(
            zip(rows.tolist(), self._scored([questions[row] for row in rows], users[rows]), strict=True)
        )
        rows = np.flatnonzero(wants_items & (users != UNKNOWN))
        answers.update(zip(rows.tolist(), self._recommended(users[rows]), strict=True))
        for row in np.flatnonzero(wants_items & (users == UNKNOWN)).tolist():
            answers[row] = self._popular(questions[row].user)
        return [answers[row] for row in range(len(questions))]

    def _scored(self, questions: list[Question], users: np.ndarray) -> Iterator[dict[str, Any]]:
        if not questions:
            return
        items = numbered([str(asked.item) for asked in questions], self.encoder.items)
        for asked, user, item, score in zip(
            questions, users, items, self.pair_scores(users, items), strict=True
        ):
            named = self.encoder.item_name(item) if item != UNKNOWN else {"item": asked.item}
            unknown = [what for what, number in (("user", user), ("item", item)) if number == UNKNOWN]
            note = {"note": f"training never saw this {' nor this '.join(unknown)}"} if unknown else {}
            yield {"user": asked.user, **named, self.score_name: round(float(score), 4), **note}

    def _recommended(self, users: np.ndarray) -> Iterator[dict[str, Any]]:
        for ranking in rankings(self.user_scores, users, self.seen, self.top):
            for user, items, scores in zip(ranking.users, ranking.items, ranking.scores, strict=True):
                items, scores = items[items != UNKNOWN].tolist(), scores[items != UNKNOWN].tolist()
                yield {
                    "user": self.encoder.users[user - 1],
                    "recommendations": [
                        {**self.encoder.item_name(item), self.score_name: round(score, 4)}
                        for item, score in zip(items, scores, strict=True)
                    ],
                }

    def _popular(self, name: str) -> dict[str, Any]:
        most_rated = self.encoder.popular[: self.top].tolist()
        return {
            "user": name,
            "note": "training never saw this user: these are the most rated items",
            "recommendations": [
                {**self.encoder.item_name(item), "ratings": self.encoder.item_counts[item - 1]}
                for item in most_rated
            ],
        }

"""From raw questions to a recommender's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.recommendation.catalogue.interactions import UNKNOWN, Interactions, numbered
from apps.recommendation.catalogue.judging import Ranking, ScorePairs, ScoreUsers, rankings
from apps.recommendation.catalogue.questions import Question

if TYPE_CHECKING:
    from apps.recommendation.catalogue.encoder import RatingsEncoder

ScoreTastes = Callable[[Interactions], np.ndarray]
"""From ratings by people who are numbered from 0, to their scores of all items, `(num_people, num_items)`."""


@dataclass(frozen=True, eq=False)
class Recommender:
    """A trained model as two functions, with what it needs to give answers.

    Args:
        encoder: Of the training.
        user_scores: From users to the scores of all items.
        pair_scores: From users and items to scores.
        taste_scores: From ratings of people whom training need not know to their scores of all items.
        seen: Sparse rows of users by items, which are not recommended again.
        top: How many items to recommend.
        score_name: What a score is called.
        bounded: Keeps scores within what they can be.
    """

    encoder: RatingsEncoder
    user_scores: ScoreUsers
    pair_scores: ScorePairs
    taste_scores: ScoreTastes
    seen: Any
    top: int
    score_name: str
    bounded: Callable[[np.ndarray], np.ndarray] = np.asarray

    def answers(self, questions: list[Question]) -> list[dict[str, Any]]:
        """Return one answer a question, in order."""
        users = numbered([asked.user for asked in questions], self.encoder.user_index)
        has_taste = np.array([asked.ratings is not None for asked in questions], bool)
        wants_items = np.array([asked.item is None for asked in questions], bool) & ~has_taste
        answers: dict[int, dict[str, Any]] = {}
        rows = np.flatnonzero(has_taste)
        answers.update(zip(rows.tolist(), self._to_tastes([questions[row] for row in rows]), strict=True))
        rows = np.flatnonzero(~wants_items & ~has_taste)
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
        items = numbered([str(asked.item) for asked in questions], self.encoder.item_index)
        for asked, user, item, score in zip(
            questions, users, items, self.pair_scores(users, items), strict=True
        ):
            named = self.encoder.item_name(item) if item != UNKNOWN else {"item": asked.item}
            unknown = [what for what, number in (("user", user), ("item", item)) if number == UNKNOWN]
            note = {"note": f"training never saw this {' nor this '.join(unknown)}"} if unknown else {}
            yield {"user": asked.user, **named, self.score_name: round(float(score), 4), **note}

    def _to_tastes(self, questions: list[Question]) -> Iterator[dict[str, Any]]:
        """Answer those who say what they like, whatever training knows of them."""
        if not questions:
            return
        tastes = interactions_of([asked.ratings or {} for asked in questions], self.encoder)
        scores = self.taste_scores(tastes)
        seen, wanted = (
            tastes.matrix(),
            numbered([asked.item or "" for asked in questions], self.encoder.item_index),
        )
        ranked = rankings(lambda rows: scores[rows], np.arange(len(questions)), seen, self.top)
        listed = (row for ranking in ranked for row in self._listed(ranking))
        for asked, row, item, recommendations in zip(questions, scores, wanted, listed, strict=True):
            unknown = (
                {} if asked.item is None or item != UNKNOWN else {"note": "training never saw this item"}
            )
            if asked.item is None:
                yield {"recommendations": recommendations}
            else:
                named = self.encoder.item_name(item) if item != UNKNOWN else {"item": asked.item}
                yield {**named, self.score_name: round(float(self.bounded(row[item])), 4), **unknown}

    def _recommended(self, users: np.ndarray) -> Iterator[dict[str, Any]]:
        for ranking in rankings(self.user_scores, users, self.seen, self.top):
            for user, recommendations in zip(ranking.users, self._listed(ranking), strict=True):
                yield {"user": self.encoder.users[user - 1], "recommendations": recommendations}

    def _listed(self, ranking: Ranking) -> Iterator[list[dict[str, Any]]]:
        """Yield for each user of a block their best items, by name, in the order of unbounded scores."""
        for items, scores in zip(ranking.items, ranking.scores, strict=True):
            found = items != UNKNOWN
            yield [
                {**self.encoder.item_name(item), self.score_name: round(score, 4)}
                for item, score in zip(
                    items[found].tolist(), self.bounded(scores[found]).tolist(), strict=True
                )
            ]

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


def interactions_of(tastes: Sequence[Mapping[str, float]], encoder: RatingsEncoder) -> Interactions:
    """Return ratings of known items by people who are numbered from 0."""
    people = np.repeat(np.arange(len(tastes), dtype=np.int32), [len(taste) for taste in tastes])
    items = numbered([item for taste in tastes for item in taste], encoder.item_index)
    ratings = np.array([rating for taste in tastes for rating in taste.values()], np.float32)
    known = items != UNKNOWN
    return Interactions(people[known], items[known], ratings[known], len(tastes), encoder.num_items)

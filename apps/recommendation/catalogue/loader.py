"""Answers from an export of a recommender, without Keras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.recommendation.catalogue.best_items import best_items
from apps.recommendation.catalogue.questions import Question, question
from core.errors import UserError
from core.exporting.runtime import Graph, main

UNKNOWN = 0  # the number of every user and item that training never saw; the known ones count from 1


class Predictor:
    """Recommends items to users, and scores pairs.

    Args:
        folder: Of the export.

    Example:

    >>> predictor = Predictor("runs/films/exports/onnx")  # doctest: +SKIP
    >>> predictor.predict(["196", {"user": "196", "item": "50"}])  # doctest: +SKIP
    [{'user': '196', 'recommendations': [...]}, {'user': '196', 'item': '50', 'rating': 4.41}]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.users, self.items = (
            {name: number for number, name in enumerate(self.settings[which], start=1)}
            for which in ("users", "items")
        )
        with np.load(Path(folder) / "seen.npz") as seen:
            self.seen, self.offsets = seen["items"], seen["offsets"]
        self.graph = Graph(folder)

    def outputs(self, inputs: Sequence[Any]) -> np.ndarray:
        """Return the scores of all items, float32, shape `(num_users, num_items)`, for raw user ids."""
        size = self.settings.get("users_at_once") or max(len(inputs), 1)
        starts = range(0, max(len(inputs), 1), size)
        return np.concatenate([self.graph(self.features(inputs[start : start + size])) for start in starts])

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return raw user ids as the numbers that the graph takes."""
        return {"user": np.array([self.users.get(str(user), UNKNOWN) for user in inputs], np.int32)}

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return recommendations for a raw user id, or the score of a pair `{"user": ..., "item": ...}`.

        What the user has rated already is not recommended; a user that training never saw gets the most rated
        items.
        """
        if not inputs:
            return []
        asked = [question(value) for value in inputs]
        if any(each.ratings is not None for each in asked):
            raise UserError(
                "An export answers for users whom training saw, or pairs; ratings by others need the run "
                "itself, as `quartet predict` and `quartet serve` take it. Received: ratings."
            )
        scores = self.outputs([each.user for each in asked])
        return [self._answer(each, row) for each, row in zip(asked, scores, strict=True)]

    def _answer(self, asked: Question, scores: np.ndarray) -> dict[str, Any]:
        if asked.item is not None:
            return self._scored(asked, scores)
        if asked.user not in self.users:
            return self._popular(asked.user)
        return self._recommended(asked.user, scores)

    def _scored(self, asked: Question, scores: np.ndarray) -> dict[str, Any]:
        item = self.items.get(str(asked.item), UNKNOWN)
        known = {"user": asked.user in self.users, "item": item != UNKNOWN}
        unknown = [what for what, is_known in known.items() if not is_known]
        note = {"note": f"training never saw this {' nor this '.join(unknown)}"} if unknown else {}
        name = self._name(item) if known["item"] else {"item": str(asked.item)}
        [score] = self._bounded(scores[[item]])
        return {"user": asked.user, **name, self.settings["score_name"]: round(score, 4), **note}

    def _bounded(self, scores: np.ndarray) -> list[float]:
        """Return scores within what they can be."""
        lowest, highest = self.settings["bounds"]
        bounded: list[float] = (scores if lowest is None else np.clip(scores, lowest, highest)).tolist()
        return bounded

    def _popular(self, user: str) -> dict[str, Any]:
        counts = self.settings["item_counts"]
        return {
            "user": user,
            "note": "training never saw this user: these are the most rated items",
            "recommendations": [
                {**self._name(item), "ratings": counts[item - 1]} for item in self.settings["popular"]
            ],
        }

    def _recommended(self, user: str, scores: np.ndarray) -> dict[str, Any]:
        first, end = self.offsets[self.users[user] : self.users[user] + 2]
        unseen = scores.copy()
        unseen[UNKNOWN] = unseen[self.seen[first:end]] = -np.inf
        (best,), (found,) = best_items(unseen[None], self.settings["top"])
        count = int(np.isfinite(found).sum())
        name = self.settings["score_name"]
        return {
            "user": user,
            "recommendations": [
                {**self._name(item), name: round(score, 4)}
                for item, score in zip(best[:count].tolist(), self._bounded(found[:count]), strict=True)
            ],
        }

    def _name(self, item: int) -> dict[str, str]:
        name = self.settings["items"][item - 1]
        titles = self.settings["titles"]
        return {"item": name, "title": titles[name]} if name in titles else {"item": name}


if __name__ == "__main__":
    main(Predictor)

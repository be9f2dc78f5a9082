"""Answers from an export of a net that reads histories, without Keras."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.recommendation.catalogue.best_items import best_items
from apps.recommendation.histories.memory import Followed, mixed
from apps.recommendation.histories.questions import history_of, note_of_unknown
from core.exporting.runtime import Graph, main

UNKNOWN = 0  # the number of every item that training never saw; the known ones count from 1


class Predictor:
    """Recommends what comes next after a history.

    Args:
        folder: Of the export.

    Example:

    >>> predictor = Predictor("runs/sequences/exports/onnx")  # doctest: +SKIP
    >>> predictor.predict([["50", "172"], {"history": ["50"]}])  # doctest: +SKIP
    [{'recommendations': [{'item': '181', 'title': 'Return of the Jedi (1983)', 'score': 7.1}, ...]}, ...]
    """

    def __init__(self, folder: Path | str) -> None:
        self.settings = json.loads((Path(folder) / "encoder.json").read_text(encoding="utf-8"))
        self.items = {name: number for number, name in enumerate(self.settings["items"], start=1)}
        self.counts = np.array([0, *self.settings["item_counts"]], np.float32)
        with np.load(Path(folder) / "followed.npz") as arrays:
            self.followed = Followed(arrays["items"], arrays["offsets"], arrays["weights"])
        self.graph = Graph(folder)

    def outputs(self, inputs: Sequence[Any]) -> np.ndarray:
        """Return the scores of all items, float32, shape `(num_inputs, num_items)`, for raw histories.

        Where none of a history's items is known, they are how often each item was chosen.
        """
        history = self.features(inputs)["history"]
        scores = self.graph({"history": history})
        lengths = np.count_nonzero(history, axis=1)
        if self.settings["share"]:
            offsets = np.concatenate([[0], np.cumsum(lengths)])
            followed = self.followed.after(history[history > 0], offsets)
            scores = mixed(scores, followed, self.settings["share"])
        return np.where(lengths[:, None] == 0, self.counts, scores)

    def features(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Return raw histories as the numbers that the graph takes: the latest known items, zeros behind."""
        length = self.settings["length"]
        history = np.zeros((len(inputs), length), np.int32)
        for row, value in enumerate(inputs):
            latest = [number for number in self._numbers(value) if number != UNKNOWN][-length:]
            history[row, : len(latest)] = latest
        return {"history": history}

    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Return recommendations for raw histories, lists of ids or mappings `{"history": [...]}`.

        Raises:
            UserError: One is no history, or training never saw any of its items.
        """
        if not inputs:
            return []
        histories = [history_of(value) for value in inputs]
        notes = [
            note_of_unknown(history, [item for item in history if item not in self.items])
            for history in histories
        ]
        return [
            self._answer(history, row, note)
            for history, row, note in zip(histories, self.outputs(histories), notes, strict=True)
        ]

    def _numbers(self, value: Any) -> list[int]:
        history = value if isinstance(value, list) else history_of(value)
        return [self.items.get(item, UNKNOWN) for item in history]

    def _answer(self, history: list[str], scores: np.ndarray, note: str) -> dict[str, Any]:
        scores = scores.copy()
        scores[UNKNOWN] = -np.inf
        if self.settings["mask_seen"]:
            scores[self._numbers(history)] = -np.inf
        (best,), (found,) = best_items(scores[None], self.settings["top"])
        count = int(np.isfinite(found).sum())
        recommendations = [
            {**self._name(item), "score": round(score, 4)}
            for item, score in zip(best[:count].tolist(), found[:count].tolist(), strict=True)
        ]
        return {"recommendations": recommendations, **({"note": note} if note else {})}

    def _name(self, item: int) -> dict[str, str]:
        name = self.settings["items"][item - 1]
        titles = self.settings["titles"]
        return {"item": name, "title": titles[name]} if name in titles else {"item": name}


if __name__ == "__main__":
    main(Predictor)

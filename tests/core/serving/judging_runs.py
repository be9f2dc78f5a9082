"""Fake tasks of each kind whose answers look like those of real ones, so that the page shows all it can."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from core.answers.classes import Classes
from core.answers.kind import Answers
from core.answers.rankings import Rankings
from core.inputs import Picture, Ratings, Sound, Text
from tests.core.serving.fake_runs import Fake


class Explained:
    """A prediction, and a picture of it that a browser can show."""

    def __init__(self, answer: dict[str, Any], target: str) -> None:
        self.answer, self.target = answer, target

    def to_json(self) -> dict[str, Any]:
        return {"answer": self.answer, "target": self.target, "method": "looking_hard"}

    def png(self) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (320, 200), "teal").save(file, "PNG")
        return file.getvalue()


def judged(share: float, high: str, low: str) -> dict[str, Any]:
    """Return an answer like that of a classifier of two classes."""
    probabilities = {low: round(1 - share, 6), high: round(share, 6)}
    label = max(probabilities, key=lambda name: probabilities[name])
    return {"label": label, "probability": probabilities[label], "probabilities": probabilities}


class Judging(Fake):
    gives: ClassVar[type[Answers]] = Classes

    def explain(self, model, encoder, value, method=None):
        answer = self.answer(value)
        return Explained(answer, f"Why {answer['label']}")


class Shouting(Judging):
    """Says whether a text is in capitals."""

    takes: ClassVar = {"text": Text()}

    def answer(self, text: str) -> dict[str, Any]:
        return judged(sum(letter.isupper() for letter in text) / len(text), "loud", "calm")


class Ink(Judging):
    """Says whether a picture is mostly bright."""

    takes: ClassVar = {"picture": Picture((28, 28), 1)}

    def answer(self, picture: np.ndarray) -> dict[str, Any]:
        return judged(float((picture > 127).mean()), "bright", "dark")


class Lasting(Judging):
    """Says whether a sound lasts for more than half a second."""

    takes: ClassVar = {"sound": Sound(8000)}

    def answer(self, wave: np.ndarray) -> dict[str, Any]:
        return judged(min(len(wave) / 8000, 1.0), "long", "short")


class Films(Judging):
    """Recommends what was not rated."""

    gives: ClassVar = Rankings
    titles: ClassVar = {"1": "Alien (1979)", "2": "Brazil (1985)", "3": "Clue (1985)"}
    takes: ClassVar = {
        "question": Ratings(
            {"user": {"u7": "u7"}, "item": titles, "rating": {str(i): str(i) for i in range(1, 6)}}
        )
    }

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        rated = question.get("ratings", {})
        rows = [
            {"item": item, "title": title, "rating": 1 + sum(rated.values())}
            for item, title in self.titles.items()
            if item not in rated
        ]
        return {"recommendations": rows, "label": rows[0]["title"]}

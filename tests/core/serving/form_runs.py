"""Fake tasks that answer what they were asked, one for each form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from core.inputs import Choice, Column, Number, Picture, Position, Row, Text, Turns
from tests.core.serving.fake_runs import Fake

PATIENT = Row(
    (
        Column(name="age", kind="number", low=29, high=77, typical=54.5),
        Column(name="sex", kind="choice", choices=["f", "m"], typical="m"),
        Column(name="remark", kind="text"),
    )
)


class Asked(Fake):
    """Answers what was asked; of a picture its brightness."""

    abilities: ClassVar = frozenset()

    def answer(self, value: Any) -> dict[str, Any]:
        return {"asked": plain(value)}


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return round(float(value.mean()), 1) if isinstance(value, np.ndarray) else value


class Patients(Asked):
    """Takes a row."""

    takes: ClassVar = {"row": PATIENT}


class Tongues(Asked):
    """Takes a choice."""

    takes: ClassVar = {"into": Choice(("German", "French"))}


class Seeds(Asked):
    """Takes a number."""

    takes: ClassVar = {"seed": Number(0, 99, whole=True, example=7)}

    def answer(self, value: int) -> dict[str, Any]:
        return {"asked": {"seed": value}}


class Games(Asked):
    """Takes a position."""

    takes: ClassVar = {"position": Position()}


class Reading(Asked):
    """Takes two texts."""

    takes: ClassVar = {"question": Text(rows=2), "context": Text()}


class Scenes(Asked):
    """Takes two pictures and a choice."""

    takes: ClassVar = {
        "before": Picture((8, 8), 1),
        "after": Picture((8, 8), 1),
        "compared_by": Choice(("colour", "shape")),
    }


class Chat(Fake):
    """Answers a dialogue by how long it is, and what was said last; word by word."""

    abilities: ClassVar = frozenset({"stream"})
    takes: ClassVar = {"dialogue": Turns()}

    def answer(self, turns: list[dict[str, str]]) -> dict[str, Any]:
        return {"text": f"{len(turns)} turns, then {turns[-1]['text']}"}

    def stream(self, model, encoder, value, options=None) -> Iterator[dict[str, Any]]:
        words = self.answer(value)["text"].split(" ")
        for count in range(1, len(words) + 1):
            yield {"text": " ".join(words[:count])}

"""Run folders of tasks that need no model, so that serving is tried without one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from core.errors import MethodError, UserError
from core.inputs import Picture, Ratings, Text
from core.task.contract import Encoder, Task

KNOWN = {"user": {"u1": "u1"}, "item": {"1": "Alien (1979)", "2": "Brazil (1985)"}}


class NoEncoder(Encoder):
    pass


class Fake(Task):
    """Takes no data, and answers by arithmetic."""

    encoder_class: ClassVar[type[Encoder]] = NoEncoder
    content: ClassVar[tuple[str, ...]] = ()
    seconds: ClassVar[float] = 0.0

    factor: int = 1

    def load(self):
        raise NotImplementedError

    encode = batches = build = evaluate = load

    abilities: ClassVar = frozenset({"explain"})

    def predict(self, model, encoder, inputs, options=None):
        time.sleep(self.seconds)
        return [self.answer(value) for value in inputs]

    def explain(self, model, encoder, value, method=None):
        if method not in (None, "occlusion"):
            raise MethodError(f"There is no such method. Received: {method!r}.")
        return FakeExplanation(self.answer(value))


class Lengths(Fake):
    """Answers the length of a text."""

    takes: ClassVar = {"text": Text()}

    def answer(self, text: str) -> dict[str, Any]:
        if text == "refused":
            raise UserError("That text is refused. Received: 'refused'.")
        if text == "slow":
            time.sleep(1.0)
        if text == "broken":
            raise RuntimeError("a bug with a secret in it")
        return {"length": self.factor * len(text)}


class Bytes(Picture):
    """Files, whatever they hold."""

    def raw(self, value, limits):
        if value.startswith(b"not a picture"):
            raise UserError("This is no picture.")
        if value.startswith(b"large") and limits.pixels < 10**6:
            raise UserError("This is too large.")
        return sum(value)


class Sums(Fake):
    """Answers the sum of a file's bytes."""

    takes: ClassVar = {"file": Bytes()}

    def answer(self, total: int) -> dict[str, Any]:
        return {"sum": total}


class Tastes(Fake):
    """Answers what was asked."""

    takes: ClassVar = {"question": Ratings(KNOWN)}

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"asked": question}


@dataclass
class FakeExplanation:
    prediction: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"prediction": self.prediction}

    def png(self) -> bytes:
        return b"\x89PNG of it"


def write_run(folder: Path, task: type[Task], **fields: Any) -> Path:
    """Write the folder of a finished run of a fake task."""
    folder.mkdir(parents=True, exist_ok=True)
    tree = {"version": 1, "task": {"type": f"{task.__module__}.{task.__name__}", **fields}}
    (folder / "experiment.yaml").write_text(yaml.safe_dump(tree))
    (folder / "encoder.json").write_text("{}")
    (folder / "metrics.json").write_text('{"test": {}, "baseline": {}, "data": {}}')
    return folder

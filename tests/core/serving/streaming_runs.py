"""Fake tasks whose answers grow, slowly enough that somebody can watch, stop, or hang up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from core.errors import UserError
from core.inputs import Text
from core.task.contract import Options
from tests.core.serving.fake_runs import Fake


class Manner(Options):
    """How a text is echoed."""

    times: int = Field(1, ge=1, le=9, description="how often each word is said")
    case: Literal["as it is", "upper"] = Field("as it is", description="of the letters")
    exclaim: bool = Field(False, description="with a mark at the end")


class Echo(Fake):
    """Says a text word by word. `endless PATH` goes on until it is closed, then makes the file."""

    abilities: ClassVar = frozenset({"stream"})
    options: ClassVar = Manner
    takes: ClassVar = {"text": Text()}

    def predict(self, model, encoder, inputs, options=None):
        return [self.said(text.split(), options or Manner()) for text in inputs]

    def stream(self, model, encoder, value, options=None) -> Iterator[dict[str, Any]]:
        words = value.split()
        if value == "refused":
            raise UserError("That text is refused. Received: 'refused'.")
        if words[:1] == ["endless"]:
            yield from self.endless(Path(words[1]))
        for count in range(1, len(words) + 1):
            yield self.said(words[:count], options or Manner())
            if words[count - 1] == "broken":
                raise RuntimeError("a bug with a secret in it")

    def said(self, words: list[str], manner: Manner) -> dict[str, Any]:
        text = " ".join(word for word in words for _ in range(manner.times))
        text = text.upper() if manner.case == "upper" else text
        return {"text": text + "!" * manner.exclaim}

    def endless(self, closed: Path) -> Iterator[dict[str, Any]]:
        try:
            for count in range(10_000):
                yield {"text": f"{count} " + "x" * 100_000}
                time.sleep(0.02)
        finally:
            closed.touch()

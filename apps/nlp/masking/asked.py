"""What is asked of a model that fills masks: texts with marks, and how many candidates are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from core.inputs import Text
from core.task.contract import Options


@dataclass(frozen=True, eq=False)
class MarkedText(Text):
    """A text with marks where words are missing."""

    described: ClassVar[str] = "A text with [MASK] wherever a word is missing."

    example: str = "In the [MASK] was the Word"

    def examples(self) -> list[Any]:
        """Return a text with one mark, and one that is but a mark."""
        return [self.example, "[MASK]"]


class Asked(Options):
    """What is told of each mask."""

    candidates: int = Field(5, ge=1, le=100, description="how many of the likeliest words of each mask")

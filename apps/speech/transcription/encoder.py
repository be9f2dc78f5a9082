"""What a recogniser learns of transcripts before any weight, and what may be asked of its search."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field

from apps.speech.transcription.language import Transcribed
from apps.speech.transcription.units import Units
from core.task.contract import Encoder, Options


class TranscriptEncoder(Encoder):
    """The units of transcripts, and how loud recordings are at most."""

    kind: Literal["characters", "pieces", "words"] = Field(description="what units are")
    names: list[str] = Field(min_length=1, description="of the units, in the order of the model's outputs")
    tokenizer: str | None = Field(None, description="of word pieces, as the tokenizers library writes it")
    transcripts: list[str] = Field([], description="of the training part, where a model of them is asked for")
    order: int = Field(0, ge=0, description="units of the longest n-grams of that model")
    full_scale: float = Field(1.0, gt=0, description="of recordings with floats for samples")

    @cached_property
    def units(self) -> Units:
        """The units."""
        return Units(self.kind, self.names, self.tokenizer)

    @cached_property
    def language(self) -> Transcribed | None:
        """The model of transcripts, if there is one."""
        return Transcribed(self.transcripts, self.units, self.order) if self.order else None


class SearchOptions(Options):
    """How the transcript of a recording is searched; what is left open is as the run was trained."""

    beams: int | None = Field(
        None, ge=1, le=256, description="transcripts that are weighed at once; 1 takes the best path"
    )
    language_weight: float | None = Field(
        None, ge=0, le=10, description="weight of the model of transcripts, where the run has one"
    )

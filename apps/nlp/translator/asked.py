"""What may be asked of a translation."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field

from apps.nlp.translator.translating import Asked
from core.task.contract import Options

if TYPE_CHECKING:
    import keras

    from apps.nlp.decoder.beams import BeamSearch


class Searched(Options):
    """How a translation is searched."""

    beams: int = Field(Asked.beams, ge=1, le=16, description="texts that are weighed at once; 1 is greedy")
    length_penalty: float = Field(
        Asked.length_penalty,
        ge=0,
        le=3,
        description="how far long texts are made up for their length; 0: not at all",
    )
    alternatives: int = Field(
        Asked.alternatives, ge=0, le=15, description="other texts to tell, fewer than beams"
    )


@lru_cache(maxsize=4)
def search_of(model: keras.Model) -> BeamSearch:
    """Return what searches translations by a model, whose loops are compiled at its first answers."""
    from apps.nlp.decoder.beams import BeamSearch
    from apps.nlp.translator.net import TranslatorSteps

    return BeamSearch(TranslatorSteps(model))

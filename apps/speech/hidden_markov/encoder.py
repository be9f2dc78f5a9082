"""What a hybrid recogniser learns of transcripts before any weight."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from apps.speech.hidden_markov.states import Pronunciations
from apps.speech.transcription.encoder import TranscriptEncoder


class HybridEncoder(TranscriptEncoder):
    """The vocabulary, how its words are pronounced, and how many frames training aligns."""

    lexicon: dict[str, list[list[str]]] = Field(description="word to the ways to say it, each by its sounds")
    states_each: int = Field(ge=1, description="hidden states of a sound")
    num_frames: int = Field(ge=0, description="of the training part, each of which has a state")

    @cached_property
    def pronunciations(self) -> Pronunciations:
        """The words as hidden states."""
        return Pronunciations(self.names, self.lexicon, self.states_each)

"""What a voice knows of its recordings before any weight, and what may be asked of it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from pydantic import Field

from apps.speech.voice.references import unpacked
from core.errors import UserError
from core.task.contract import Encoder, Options


class VoiceEncoder(Encoder):
    """The words, one take of each to lay others along, and how frames are normalised."""

    words: list[str] = Field(min_length=1, description="sorted words that the voice says")
    references: list[str] = Field(description="normalised frames of one take of each word, base64")
    means: list[float] = Field(description="of the features of frames")
    deviations: list[float] = Field(description="of the features of frames")
    full_scale: float = Field(1.0, gt=0, description="of recordings with floats for samples")

    @cached_property
    def frames_of_words(self) -> list[np.ndarray]:
        """The references as frames, each float32, shape `(num_frames, num_features)`."""
        return [unpacked(text, len(self.means)) for text in self.references]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The place of each word among all."""
        return {word: number for number, word in enumerate(self.words)}

    def number_of(self, word: str, source: str) -> int:
        """Return the place of a word among all.

        Args:
            word: Of an example.
            source: Of the example, for the message.

        Raises:
            UserError: No training recording says it.
        """
        if word not in self.numbers:
            raise UserError(
                f"{source}: no training recording says {word!r}, so nothing can be learnt of it. Record it "
                f"more often, or leave it out. Received: {len(self.words)} words in training."
            )
        return self.numbers[word]

    def normalised(self, frames: np.ndarray) -> np.ndarray:
        """Return frames with mean 0 and deviation 1 over the training part."""
        return ((frames - np.array(self.means)) / np.array(self.deviations)).astype(np.float32)

    def as_measured(self, frames: np.ndarray) -> np.ndarray:
        """Return what `normalised` was made of."""
        return (frames * np.array(self.deviations) + np.array(self.means)).astype(np.float32)


class SpeakingOptions(Options):
    """How a text is spoken."""

    seed: int = Field(0, ge=0, le=2**31 - 1, description="of the sound, which is a little different for each")
    temperature: float | None = Field(
        None, ge=0.1, le=1.5, description="less is clearer and duller, more is noisier; the task's by default"
    )
    speed: float = Field(1.0, ge=0.5, le=2.0, description="of speaking, 2 takes half the time")
    semitones: float = Field(0.0, ge=-12, le=12, description="by which the pitch is higher or lower")
    pause: float = Field(0.15, ge=0, le=2, description="seconds between words")

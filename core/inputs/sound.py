"""A sound."""

from __future__ import annotations

import base64
import io
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from core.inputs.encoded import EncodedFile
from core.inputs.kind import Input
from core.inputs.limits import Limits

if TYPE_CHECKING:
    import numpy as np

    from core.shown import Sound as Shown


@dataclass(frozen=True, eq=False)
class Sound(Input):
    """A sound: the path of a file on this machine, or the content of one that was sent.

    Args:
        sample_rate: Samples a second that one is brought to when it is sent.
        full_scale: Of floats in the recordings of the training.
    """

    kind: ClassVar[str] = "sound"
    noun: ClassVar[str] = "sound"
    described: ClassVar[str] = "A sound file (WAV, FLAC, Ogg, MP3, AIFF) in base64."
    is_file: ClassVar[bool] = True

    sample_rate: int = 16_000
    full_scale: float = 1.0

    def type(self, limits: Limits) -> Any:
        """Return a file in base64."""
        return EncodedFile

    def examples(self) -> list[Any]:
        """Return a tenth of a second of a square wave as WAV in base64."""
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(1)
            sound.setframerate(8000)
            sound.writeframes((b"\x70" * 8 + b"\x90" * 8) * 50)
        return [base64.b64encode(file.getvalue()).decode()]

    def raw(self, value: bytes, limits: Limits) -> np.ndarray:
        """Return the wave of a file at the rate of the kind, int16, shape `(num_samples,)`."""
        from core.data.audio import decoded_upload

        return decoded_upload(value, self.sample_rate, limits.sound_seconds, self.full_scale)

    def shown(self, value: Any) -> Shown:
        """Return a wave to listen to."""
        from core.shown import Sound as Shown

        return Shown(value, self.sample_rate)

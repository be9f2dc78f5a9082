"""Sound files as waves, for the loaders of exports; needs NumPy, soundfile and soxr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.data.sound import at_full_scale, one_channel
from core.errors import UserError


def wave_of(value: Any, sample_rate: int, full_scale: float) -> np.ndarray:
    """Return a sound file as one channel at a rate, int16, shape `(num_samples,)`.

    Args:
        value: A path, an open file, or a wave, which stays as it is.
        sample_rate: Samples a second that are wanted.
        full_scale: Of floats in the recordings of the training.

    Raises:
        UserError: It can't be read as a recording.
    """
    if isinstance(value, np.ndarray):
        if value.ndim == 1 and len(value) and value.dtype == np.int16:
            return value
        raise UserError(
            f"A wave must be int16 of shape (num_samples,), not empty. "
            f"Received: {value.dtype} of shape {value.shape}."
        )
    import soundfile

    try:
        if isinstance(value, str | Path) and Path(value).exists() and not Path(value).is_file():
            raise ValueError("it is no file")
        with soundfile.SoundFile(value) as file:
            sound = at_full_scale(file.read(dtype="float32", always_2d=True), file.subtype, full_scale)
            return one_channel(sound, file.samplerate, sample_rate)
    except Exception as error:  # what a decoder raises at a broken file is anything
        raise UserError(f"{value} can't be read as a recording: {error}") from None

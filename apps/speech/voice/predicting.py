"""Frames of words, as a trained voice predicts them."""

from __future__ import annotations

import keras
import numpy as np

from apps.speech.voice.encoder import VoiceEncoder
from apps.speech.voice.nets import FRAMES


def predicted_frames(model: keras.Model, encoder: VoiceEncoder, word: str, speed: float) -> np.ndarray:
    """Return the frames of a word, as long as its reference takes at a speed, normalised, float32.

    Args:
        model: A trained voice.
        encoder: Of the voice.
        word: Of its vocabulary.
        speed: 2 makes it half as long.
    """
    number = encoder.numbers[word]
    num_frames = max(round(len(encoder.frames_of_words[number]) / speed), 1)
    places = np.linspace(0, 1, num_frames, dtype=np.float32)
    net = model.get_layer(FRAMES)
    frames = net([np.array([number], np.int32), places[None]], training=False)
    return np.array(keras.ops.convert_to_numpy(frames)[0], np.float32)

"""What a voice has to be better than: the recordings it was learnt from, played again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.speech.voice.encoder import VoiceEncoder
from apps.speech.voice.frames import Framing
from core.data.examples import Examples


def recorded_words(
    train: Examples, words: Sequence[str], encoder: VoiceEncoder, framing: Framing
) -> list[np.ndarray]:
    """Return for each word the training recording that is its reference, int16.

    Args:
        train: With columns `wave` and `label`.
        words: That are to be said.
        encoder: Of the voice.
        framing: Of the voice.
    """
    waves, labels = train.ragged("wave"), np.array(train["label"].tolist())
    takes = {}
    for word in set(words):
        rows = np.flatnonzero(labels == word)
        reference = encoder.frames_of_words[encoder.numbers[word]]
        apart = [_apart(encoder.normalised(framing.frames(waves[row])), reference) for row in rows.tolist()]
        takes[word] = waves[int(rows[np.argmin(apart)])]
    return [takes[word] for word in words]


def _apart(frames: np.ndarray, reference: np.ndarray) -> float:
    if len(frames) != len(reference):
        return np.inf
    return float(np.abs(frames - reference).mean())

"""Words that were recorded alone, joined into strings with pauses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.data.examples import Column, Examples, Ragged

PAUSES = 0.05, 0.35  # seconds between words
QUIET = 0.02  # seconds of a stretch whose loudness is that of the room
TIMES = 3  # that each recording stands in a string


def joined_words(examples: Examples, shortest: int, longest: int, sample_rate: int, seed: int) -> Examples:
    """Return strings of words by one speaker each, every recording three times in all.

    Pauses are as long as people make them, and filled with noise as loud as the quietest stretch of the
    recording before.

    Args:
        examples: Columns `wave`, `text`, and maybe `speaker`.
        shortest: Words of a string.
        longest: Words of a string at most.
        sample_rate: Of the waves.
        seed: Of the choice.
    """
    random = np.random.default_rng(seed)
    waves, texts, of_strings = [], [], []
    speakers = examples["speaker"] if "speaker" in examples else np.full(len(examples), "somebody")
    for speaker in np.unique(speakers):
        rows = np.flatnonzero(speakers == speaker)
        order = np.concatenate([random.permutation(rows) for _ in range(TIMES)])
        while len(order) >= shortest:
            count = min(int(random.integers(shortest, longest + 1)), len(order))
            chosen, order = order[:count], order[count:]
            waves.append(_string([examples.ragged("wave")[row] for row in chosen], sample_rate, random))
            texts.append(" ".join(examples["text"][row] for row in chosen))
            of_strings.append(str(speaker))
    columns: dict[str, Column | Sequence] = {
        "wave": Ragged.from_rows(waves, np.int16),
        "text": texts,
        "speaker": of_strings,
    }
    if "full_scale" in examples:
        columns["full_scale"] = np.full(len(texts), examples["full_scale"][0])
    return Examples(columns, examples.source)


def _string(words: list[np.ndarray], sample_rate: int, random: np.random.Generator) -> np.ndarray:
    pieces = []
    for word in words:
        pause = round(random.uniform(*PAUSES) * sample_rate)
        pieces += [_noise(word, pause, round(QUIET * sample_rate), random), word]
    pieces.append(_noise(words[-1], round(PAUSES[0] * sample_rate), round(QUIET * sample_rate), random))
    return np.concatenate(pieces)


def _noise(word: np.ndarray, length: int, stretch: int, random: np.random.Generator) -> np.ndarray:
    whole = word[: len(word) // stretch * stretch].reshape(-1, stretch).astype(np.float64)
    loudness = np.sqrt(np.square(whole).mean(axis=1).min()) if len(whole) else 0.0
    return np.round(random.normal(0, loudness, length)).astype(np.int16)

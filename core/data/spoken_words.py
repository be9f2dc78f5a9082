"""Words that one synthetic voice speaks many times, each a little differently: the sample of synthesis."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from core.data.examples import Examples
from core.data.spoken_lines import Line, spoken_lines

WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("yes", "no", "on", "off", "light", "door", "open", "closed", "warm", "cold"),
)
VOICE = "en-us+m3"
TAKES = 12  # of each word
SEED = 3


def spoken_words(cache: Path, sample_rate: int) -> Examples:
    """Return twenty words as one voice speaks them, twelve times each, whose speed and pitch vary a little.

    Args:
        cache: An existing folder.
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16) and `label` (the word).

    Raises:
        UserError: The speech library does not load on this machine.
    """
    random = np.random.default_rng(SEED)
    lines = [
        Line(word, VOICE, int(random.integers(135, 166)), int(random.integers(44, 57)))
        for _, word in itertools.product(range(TAKES), WORDS)
    ]
    waves = spoken_lines(cache, "words", lines, sample_rate)
    return Examples({"wave": waves, "label": [line.text for line in lines]}, "the sample of spoken words")

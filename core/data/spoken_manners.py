"""Requests in four manners of speaking, by the synthetic voices: the sample of emotion, without feelings."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from core.data.examples import Examples
from core.data.spoken_lines import Line, spoken_lines
from core.data.spoken_requests import request
from core.data.voices import ACCENTS, TIMBRES

# Each manner: how fast by the usual speed, how much higher, and how far the pitch moves.
MANNERS = {
    "drowsy": (0.75, -15, 25),
    "flat": (1.0, 0, 0),
    "hurried": (1.4, 10, 50),
    "lively": (1.05, 15, 100),
}
OF_A_MANNER = 6  # lines by each voice
SEED = 2


def spoken_manners(cache: Path, sample_rate: int) -> Examples:
    """Return requests as 44 voices speak them in four manners, six each; speed and pitch vary about them.

    Args:
        cache: An existing folder.
        sample_rate: Samples a second.

    Returns:
        Columns `wave` (ragged int16), `label` (the manner) and `speaker` (the voice).

    Raises:
        UserError: The speech library does not load on this machine.
    """
    random = np.random.default_rng(SEED)
    lines, labels, speakers = [], [], []
    for timbre, manner, _ in itertools.product(TIMBRES, MANNERS, range(OF_A_MANNER)):
        accent, usual = list(ACCENTS.items())[int(random.integers(len(ACCENTS)))]
        pace, higher, moves = MANNERS[manner]
        speed = round(usual * pace * float(random.uniform(0.85, 1.15)))
        pitch = int(np.clip(50 + higher + random.integers(-15, 16), 0, 99))
        lines.append(Line(request(random), f"{accent}+{timbre}", speed, pitch, moves))
        labels.append(manner)
        speakers.append(timbre)
    waves = spoken_lines(cache, "manners", lines, sample_rate)
    return Examples({"wave": waves, "label": labels, "speaker": speakers}, "the sample of spoken manners")

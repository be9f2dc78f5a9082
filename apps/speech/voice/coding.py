"""Waves as levels that a net scores, and back; needs NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.data.mu_law import mu_law_levels, mu_law_wave

FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Coding:
    """How the samples of a wave become levels.

    High frequencies are raised before and lowered after, so that the noise of rounding lies where speech is
    loud and hides it.

    Source: Valin and Skoglund, LPCNet (2019), section 3.2.

    Args:
        num_levels: Of a sample.
        emphasis: Share of the sample before that is taken off, 0 to less than 1.

    Example:

    >>> coding = Coding(256, 0.85)
    >>> wave = (8000 * np.sin(np.arange(400) * 0.3)).astype(np.int16)
    >>> bool(np.abs(coding.wave(coding.levels(wave)) - wave).max() < 400)
    True
    """

    num_levels: int
    emphasis: float

    @property
    def zero(self) -> int:
        """The level of silence."""
        return int(mu_law_levels(np.zeros(1), self.num_levels)[0])

    @property
    def values(self) -> np.ndarray:
        """What a net sees of each level, float32, evenly from -1 to 1."""
        return np.linspace(-1, 1, self.num_levels, dtype=np.float32)

    def levels(self, wave: np.ndarray) -> np.ndarray:
        """Return the level of each sample of an int16 wave, int32."""
        floats = wave.astype(np.float64) / FULL_SCALE
        before = np.concatenate([[0.0], floats[:-1]])
        return mu_law_levels(floats - self.emphasis * before, self.num_levels)

    def wave(self, levels: np.ndarray) -> np.ndarray:
        """Return the wave of levels, int16."""
        samples, before = [], 0.0
        for value in mu_law_wave(levels, self.num_levels).tolist():
            before = value + self.emphasis * before
            samples.append(before)
        wave = np.round(np.array(samples) * FULL_SCALE)
        return np.clip(wave, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)

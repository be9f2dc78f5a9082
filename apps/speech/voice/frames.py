"""Frames that sound is made from: log-mel spectra, pitch, and whether there is a voice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

HOP_SECONDS, FRAME_SECONDS = 0.01, 0.032
LOWEST_HERTZ = 40.0
SILENCE = 1e-6  # power of a band, by that of a loud one about 1
NUM_PITCH_FEATURES = 2  # pitch in octaves, and voice
USUAL_HERTZ = 150.0  # of a voice that is never voiced
MOST_ITERATIONS = 60  # to find a spectrum whose mel bands are given
FULL_SCALE = 32768.0


@dataclass(frozen=True)
class Framing:
    """How frames are cut, and what they hold.

    Args:
        sample_rate: Samples a second.
        num_mels: Bands of the spectrum.
    """

    sample_rate: int
    num_mels: int

    @property
    def hop(self) -> int:
        """Samples that a frame stands for."""
        return round(HOP_SECONDS * self.sample_rate)

    @property
    def length(self) -> int:
        """Samples that a frame is measured on."""
        return 2 ** round(np.log2(FRAME_SECONDS * self.sample_rate))

    @property
    def num_features(self) -> int:
        """Numbers of a frame."""
        return self.num_mels + NUM_PITCH_FEATURES

    @cached_property
    def bands(self) -> np.ndarray:
        """From the power of a spectrum to that of bands, each about 1 at its loudest."""
        from core.layers.spectrogram import mel_bands

        num_bins, top = self.length // 2 + 1, self.sample_rate / 2
        bands = mel_bands(num_bins, self.num_mels, self.sample_rate, LOWEST_HERTZ, top)
        return np.asarray(bands, np.float64) / (self.length / 4) ** 2

    def frames(self, wave: np.ndarray) -> np.ndarray:
        """Return the frames of a wave.

        Args:
            wave: int16, shape `(num_samples,)`.

        Returns:
            float32, shape `(ceil(num_samples / hop), num_features)`: logarithms of the power in bands, the
            pitch in octaves above 1 Hertz, which goes on straight where there is none, and voice, 0 or 1.
        """
        from core.data.spectra import short_time_spectra
        from core.metrics.pitch import pitch_track

        floats = wave.astype(np.float64) / FULL_SCALE
        power = np.abs(short_time_spectra(floats, self.length, self.hop)) ** 2 @ self.bands
        hertz, voiced = pitch_track(floats, self.sample_rate, self.hop, self.hop / 2, len(power))
        octaves = np.full(len(power), np.log2(USUAL_HERTZ))
        if voiced.any():
            octaves = np.interp(np.arange(len(power)), np.flatnonzero(voiced), np.log2(hertz[voiced]))
        levels = np.log(np.maximum(power, SILENCE))
        return np.concatenate([levels, octaves[:, None], voiced[:, None]], axis=1).astype(np.float32)

    def lags(self, frames: np.ndarray) -> np.ndarray:
        """Return the period of the pitch at each frame in samples, int32, at least 2.

        Args:
            frames: As `frames` returns them.
        """
        periods = np.round(self.sample_rate / 2.0 ** frames[..., -2])
        return np.clip(periods, 2, self.longest_lag).astype(np.int32)

    @property
    def longest_lag(self) -> int:
        """The period of the lowest pitch, in samples."""
        from core.metrics.pitch import LOWEST_HERTZ as LOWEST_PITCH

        return int(np.ceil(self.sample_rate / LOWEST_PITCH))

    def silence(self) -> np.ndarray:
        """Return a frame in which nothing is heard, shape `(num_features,)`."""
        pitch = [np.log2(USUAL_HERTZ), 0.0]
        return np.array([*[np.log(SILENCE)] * self.num_mels, *pitch], np.float32)

    def griffin_lim(self, frames: np.ndarray) -> np.ndarray:
        """Return a wave with such frames, int16, by a search for phases that knows nothing of voices.

        Args:
            frames: As `frames` returns them.
        """
        from core.data.spectra import griffin_lim

        power = _spectra_of(np.exp(frames[:, : self.num_mels].astype(np.float64)), self.bands)
        return as_int16(griffin_lim(np.sqrt(power), self.length, self.hop))


def as_int16(wave: np.ndarray) -> np.ndarray:
    """Return a wave of floats, full scale at 1, as int16."""
    return np.clip(np.round(wave * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _spectra_of(mels: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Return power spectra with such mel bands, none of them below 0.

    Source: the updates of Lee and Seung, Algorithms for non-negative matrix factorization (2000).
    """
    power = mels @ np.linalg.pinv(bands)
    power = np.maximum(power, 1e-3 * np.abs(power).mean(axis=1, keepdims=True) + 1e-12)
    for _ in range(MOST_ITERATIONS):
        power *= (mels @ bands.T) / np.maximum((power @ bands) @ bands.T, 1e-20)
    return power

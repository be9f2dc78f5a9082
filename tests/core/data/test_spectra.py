from __future__ import annotations

import numpy as np

from core.data.mu_law import mu_law_levels, mu_law_wave
from core.data.spectra import griffin_lim, short_time_spectra

RANDOM = np.random.default_rng(0)


def test_a_loud_point_stands_in_the_frames_about_it():
    wave = np.zeros(800)
    wave[400] = 1.0
    loudest = np.abs(short_time_spectra(wave, 160, 80)).sum(axis=1).argsort()[-2:]
    assert sorted(loudest.tolist()) == [4, 5]


def test_griffin_lim_comes_nearer_with_more_iterations():
    wave = np.convolve(RANDOM.normal(size=4000), np.hanning(9), "same")
    magnitudes = np.abs(short_time_spectra(wave, 256, 64))

    def apart(iterations: int) -> float:
        again = np.abs(short_time_spectra(griffin_lim(magnitudes, 256, 64, iterations), 256, 64))
        return float(((again - magnitudes) ** 2).mean())

    assert apart(30) < 0.5 * apart(1)


def test_levels_of_the_mu_law_come_back_as_they_were():
    levels = np.arange(256)
    np.testing.assert_array_equal(mu_law_levels(mu_law_wave(levels)), levels)


def test_soft_samples_are_kept_more_finely_than_loud_ones():
    soft, loud = np.linspace(0.001, 0.002, 50), np.linspace(0.8, 0.9, 50)
    errors = [np.abs(mu_law_wave(mu_law_levels(each)) - each).max() for each in (soft, loud)]
    assert errors[0] < 0.02 * errors[1]

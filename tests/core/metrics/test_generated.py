"""Distances of generated from real samples, by their features."""

from __future__ import annotations

import numpy as np
import pytest

from core.metrics import coverage, frechet_distance, kernel_shares


def normal(seed: int, mean: float = 0.0, count: int = 400) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, (count, 3))


def test_the_kernel_distance_is_the_unbiased_estimate_of_its_definition():
    real, generated = normal(0, count=5), normal(1, count=4)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (x @ y / 3 + 1) ** 3

    among_real = np.mean([kernel(real[i], real[j]) for i in range(5) for j in range(5) if i != j])
    among_own = np.mean([kernel(generated[i], generated[j]) for i in range(4) for j in range(4) if i != j])
    between = np.mean([kernel(x, y) for x in real for y in generated])
    assert kernel_shares(real, generated).mean() == pytest.approx(among_real + among_own - 2 * between)


def test_the_spread_of_the_shares_is_that_of_the_distance_over_other_samples():
    real = normal(0)
    distances = [kernel_shares(real, normal(seed, 0.5)).mean() for seed in range(1, 41)]
    shares = kernel_shares(real, normal(101, 0.5))
    assert shares.std() / np.sqrt(len(shares)) == pytest.approx(np.std(distances), rel=0.4)


def test_the_frechet_distance_is_that_of_the_normal_distributions():
    assert frechet_distance(normal(0), normal(0) + 2) == pytest.approx(12)
    assert frechet_distance(normal(0), 2 * normal(0)) == pytest.approx(3, rel=0.2)  # (2 - 1) ** 2 an axis


def test_a_collapsed_generator_is_precise_and_recalls_little():
    within = coverage(normal(0), 0.01 * normal(1))
    assert within.precise.mean() > 0.9
    assert within.recalled.mean() < 0.1


def test_samples_far_from_real_ones_are_not_precise():
    assert not coverage(normal(0), normal(1, 20.0)).precise.any()

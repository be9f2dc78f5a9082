from __future__ import annotations

import keras
import numpy as np
import pytest

from core.metrics.accumulators import CompensatedMean, CompensatedSum, weights_like

LARGE = 2.0**30


def thousandfold(metric: CompensatedSum) -> list:
    """Add 1 a thousand times to the metric at `LARGE`, compiled by XLA; return its variables."""
    if keras.backend.backend() == "jax":
        import jax

        @jax.jit
        def add(state):
            return jax.lax.fori_loop(0, 1000, lambda _, s: metric.stateless_update_state(s, 1.0), state)

        return add([np.float32(LARGE), np.float32(0)])

    import tensorflow as tf

    @tf.function(jit_compile=True)
    def add():
        for _ in tf.range(1000):
            metric.update_state(1.0)

    metric.total.assign(LARGE)
    add()
    return metric.variables


def test_small_terms_keep_their_value_beside_a_large_total_when_compiled():
    total, remainder = (float(part) for part in thousandfold(CompensatedSum()))
    assert total + remainder == LARGE + 1000


def test_an_array_is_summed_place_by_place():
    metric = CompensatedSum((2,))
    for values in ([2.0**24, 1.0], [1.0, 0.25], [1.0, 0.25]):
        metric.update_state(values)
    assert np.asarray(metric.result()).tolist() == [2**24 + 2, 1.5]


def test_what_weighs_nothing_does_not_count_even_if_it_is_not_a_number():
    metric = CompensatedMean()
    metric.update_state([1.0, np.nan, 4.0], sample_weight=[1.0, 0.0, 2.0])
    assert float(metric.result()) == 3.0


@pytest.mark.parametrize("weights", [[2.0, 0.0], [[2.0], [0.0]], [[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]]])
def test_weights_of_examples_are_spread_over_what_they_hold(weights):
    spread = weights_like(np.zeros((2, 3)), weights)
    assert np.asarray(spread).tolist() == [[2.0] * 3, [0.0] * 3]

"""WaveNet: blind to what follows, and the same sample by sample as at once."""

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import GatedCausalBlock, WaveNet

DILATIONS = [1, 2, 4, 1, 2]
HOP, NUM_FRAMES, NUM_LEVELS = 4, 6, 12
RANDOM = np.random.default_rng(0)
BEFORE = RANDOM.uniform(-1, 1, (2, NUM_FRAMES * HOP)).astype("float32")
FRAMES = RANDOM.normal(size=(2, NUM_FRAMES, 3)).astype("float32")
NOISE = RANDOM.random((2, NUM_FRAMES * HOP)).astype("float32")


LAGS = RANDOM.integers(2, 9, (2, NUM_FRAMES)).astype("int32")


@pytest.fixture(scope="module", params=[0, 8], ids=["plain", "with periods"])
def net(request) -> WaveNet:
    made = WaveNet(NUM_LEVELS, HOP, 5, 7, DILATIONS, longest_lag=request.param)
    made.build((BEFORE.shape, FRAMES.shape))
    random = np.random.default_rng(1)
    made.set_weights([random.normal(0, 0.5, weight.shape) for weight in made.get_weights()])
    return made


def scores(net: WaveNet, before: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(net((before, FRAMES, LAGS)))


def test_a_score_depends_on_its_receptive_field_and_on_nothing_after_it(net):
    if net.longest_lag:
        pytest.skip("A period lies anywhere.")
    place = 5
    changed = BEFORE.copy()
    changed[:, place] = -changed[:, place]
    differs = np.abs(scores(net, changed) - scores(net, BEFORE)).max(axis=(0, 2)) > 1e-6
    assert np.flatnonzero(differs).tolist() == list(range(place, place + net.receptive_field))


def test_a_score_depends_on_samples_one_period_back():
    net = WaveNet(NUM_LEVELS, HOP, 5, 7, [1], longest_lag=8)
    net.build((BEFORE.shape, FRAMES.shape))
    changed = BEFORE.copy()
    changed[:, 6] = -changed[:, 6]  # the sample at place 5
    lags = np.full((2, NUM_FRAMES), 7, "int32")
    one, other = (ops.convert_to_numpy(net((each, FRAMES, lags))) for each in (BEFORE, changed))
    differs = np.abs(one - other).max(axis=(0, 2)) > 1e-7
    # At itself, one on by the block, and 5 + 7 with one to each side, and one on.
    assert np.flatnonzero(differs).tolist() == [6, 7, 11, 12, 13, 14]


def test_what_is_generated_is_what_its_own_scores_draw(net):
    levels, _ = net.generate(net.silence(2), FRAMES, NOISE, lags=LAGS)
    levels = ops.convert_to_numpy(levels)
    values = np.linspace(-1, 1, NUM_LEVELS, dtype="float32")
    before = np.concatenate([np.zeros((2, 1), "float32"), values[levels[:, :-1]]], axis=1)
    chances = ops.convert_to_numpy(ops.softmax(scores(net, before)))
    drawn = (np.cumsum(chances, axis=-1) <= NOISE[..., None]).sum(axis=-1)
    np.testing.assert_array_equal(levels, np.minimum(drawn, NUM_LEVELS - 1))


def test_a_wave_in_pieces_is_the_wave_at_once(net):
    whole, _ = net.generate(net.silence(2), FRAMES, NOISE, lags=LAGS)
    first, state = net.generate(net.silence(2), FRAMES[:, :2], NOISE[:, : 2 * HOP], lags=LAGS[:, :2])
    rest, _ = net.generate(state, FRAMES[:, 2:], NOISE[:, 2 * HOP :], lags=LAGS[:, 2:])
    pieces = np.concatenate([ops.convert_to_numpy(each) for each in (first, rest)], axis=1)
    np.testing.assert_array_equal(pieces, ops.convert_to_numpy(whole))


def test_at_a_low_temperature_the_likeliest_level_is_drawn(net):
    first = [
        ops.convert_to_numpy(
            net.generate(net.silence(2), FRAMES[:, :1], noise, temperature=1e-3, lags=LAGS[:, :1])[0]
        )
        for noise in (NOISE[:, :HOP], 1 - NOISE[:, :HOP])
    ]
    np.testing.assert_array_equal(*first)


def test_frames_have_a_say(net):
    other = ops.convert_to_numpy(net((BEFORE, FRAMES[::-1], LAGS)))
    assert np.abs(other - scores(net, BEFORE)).max() > 0.1


def test_a_net_comes_back_from_its_configuration(net):
    again = WaveNet.from_config(net.get_config())
    again.build((BEFORE.shape, FRAMES.shape))
    again.set_weights(net.get_weights())
    np.testing.assert_allclose(scores(again, BEFORE), scores(net, BEFORE), atol=1e-6)


@pytest.mark.parametrize("wrong", [{"filters": 0}, {"dilation": 0}])
def test_a_block_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        GatedCausalBlock(**{"filters": 2, "skip_filters": 2, **wrong})


def test_a_model_with_it_learns_on_this_backend():
    before, frames = keras.Input((None,)), keras.Input((None, 3))
    model = keras.Model([before, frames], WaveNet(NUM_LEVELS, HOP, 4, 4, [1, 2])((before, frames)))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    targets = np.zeros(BEFORE.shape, "int32")
    losses = model.fit([BEFORE, FRAMES], targets, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]

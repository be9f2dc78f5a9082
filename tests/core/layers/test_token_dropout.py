from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import TokenDropout

TOKENS = np.tile(np.array([[5, 6, 7, 8, 0, 0]], np.int32), (500, 1))


def dropped(**options) -> np.ndarray:
    return ops.convert_to_numpy(TokenDropout(seed=1, **options)(TOKENS, training=True))


def test_about_the_asked_share_of_tokens_gets_the_value_of_the_replacement():
    assert np.mean(dropped(rate=0.3, replacement=1)[:, :4] == 1) == pytest.approx(0.3, abs=0.03)


def test_padding_keeps_its_value():
    assert (dropped(rate=0.9, replacement=1)[:, 4:] == 0).all()


def test_tokens_keep_their_value_outside_training():
    np.testing.assert_array_equal(ops.convert_to_numpy(TokenDropout(0.9)(TOKENS)), TOKENS)


def test_every_call_drops_other_tokens():
    layer = TokenDropout(0.5, seed=1)
    first, second = (ops.convert_to_numpy(layer(TOKENS, training=True)) for _ in range(2))
    assert (first != second).any()


def test_a_rate_of_one_is_refused():
    with pytest.raises(ValueError, match=r"Received: rate=1\.0"):
        TokenDropout(1.0)


def test_the_layer_comes_back_from_its_configuration():
    layer = TokenDropout(0.5, 1, seed=3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()

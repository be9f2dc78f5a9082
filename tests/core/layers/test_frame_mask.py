from __future__ import annotations

import keras
import numpy as np
from keras import ops

from core.layers import FrameMask


def test_frames_beyond_the_end_of_a_sequence_are_zero():
    frames = np.ones((3, 4, 2, 2), "float32")
    kept = ops.convert_to_numpy(FrameMask()([frames, np.array([0, 2, 9])]))
    assert kept.sum(axis=(1, 2, 3)).tolist() == [0, 8, 16]


def test_a_recurrent_layer_behind_it_stops_at_the_end_of_a_sequence():
    frames, length = keras.Input((None, 2)), keras.Input((), dtype="int32")
    last = keras.layers.GRU(3)(FrameMask(with_mask=True)([frames, length]))
    model = keras.Model([frames, length], last)
    values = np.random.default_rng(0).normal(size=(1, 6, 2)).astype("float32")
    short = model.predict([values[:, :4], np.array([4])], verbose=0)
    np.testing.assert_allclose(model.predict([values, np.array([4])], verbose=0), short, atol=1e-6)


def test_the_layer_comes_back_from_its_configuration():
    assert FrameMask.from_config(FrameMask(with_mask=True).get_config()).with_mask

"""Augmentation that gradients pass through."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from core.layers import DifferentiableAugmentation


def test_pictures_are_moved_and_what_is_uncovered_is_filled():
    layer = DifferentiableAugmentation(light=0.0, shift=0.25, cut=0.0, fill=-1.0, seed=1)
    picture = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)
    moved = ops.convert_to_numpy(layer(np.repeat(picture, 16, axis=0)))[..., 0]
    framed = np.pad(picture[0, ..., 0], 2, constant_values=-1)
    windows = [framed[down : down + 8, right : right + 8] for down in range(5) for right in range(5)]
    assert all(any(np.array_equal(each, window) for window in windows) for each in moved)
    assert len({each.tobytes() for each in moved}) > 5


def test_a_square_is_cut_out_of_each_picture():
    layer = DifferentiableAugmentation(light=0.0, shift=0.0, cut=0.5, fill=-1.0, seed=1)
    cut = ops.convert_to_numpy(layer(ops.ones((5, 8, 6, 3))))
    assert (cut == -1).sum(axis=(1, 2, 3)).tolist() == [4 * 3 * 3] * 5


def test_light_changes_brightness_and_keeps_the_form():
    layer = DifferentiableAugmentation(light=0.2, shift=0.0, cut=0.0, seed=1)
    picture = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    lit = ops.convert_to_numpy(layer(picture))
    assert abs(lit.mean() - picture.mean()) < 0.2
    assert np.corrcoef(lit.ravel(), picture.ravel())[0, 1] == pytest.approx(1)


def test_a_gradient_passes_to_every_pixel_that_is_left():
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the gradient is taken by TensorFlow")
    layer = DifferentiableAugmentation(light=0.0, shift=0.0, seed=1)
    pictures = tf.ones((2, 8, 8, 1))
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        total = tf.reduce_sum(layer(pictures))
    assert np.count_nonzero(tape.gradient(total, pictures)) == 2 * (64 - 16)


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match="cut must be from 0 to 1"):
        DifferentiableAugmentation(cut=2.0)

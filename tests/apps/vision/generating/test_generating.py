"""What generates pictures, and what judges them."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from apps.vision.generating.copies import copies
from apps.vision.generating.judging import asked_classes
from apps.vision.generating.nets import discriminator, generator
from apps.vision.generating.noise import between, noise_of
from apps.vision.generating.rivals import ComponentGaussians


@pytest.mark.parametrize("shape", [(28, 28, 1), (33, 20, 3)])
def test_both_nets_take_pictures_of_any_shape(shape):
    classes = ops.array([0, 2])
    drawn = generator(shape, 3, 4, 4, "generator")([ops.zeros((2, 4)), classes])
    assert tuple(drawn.shape) == (2, *shape)
    score = discriminator(shape, 3, 4, spectral=True)([drawn, classes])
    assert tuple(score.shape) == (2, 1)


def test_any_start_of_the_classes_asked_for_has_their_shares():
    asked = asked_classes([0.6, 0.3, 0.1], 100)
    assert np.bincount(asked).tolist() == [60, 30, 10]
    assert np.bincount(asked[:10]).tolist() == [6, 3, 1]


def test_noise_on_the_way_is_as_long_as_at_its_ends():
    start, end = noise_of([1], 64), noise_of([2], 64)
    lengths = [np.linalg.norm(between(start, end, share)) for share in (0.0, 0.5, 1.0)]
    assert lengths[1] == pytest.approx((lengths[0] + lengths[2]) / 2, rel=0.1)
    np.testing.assert_allclose(between(start, end, 1.0), end, atol=1e-5)


def test_a_copied_training_picture_counts_and_another_does_not():
    training = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 1), np.uint8)
    generated = np.stack([training[7], np.full((4, 4, 1), 255, np.uint8)])
    near = copies(generated, training)
    np.testing.assert_array_equal(near.nearest[0], training[7])
    assert near.share == 0.5


def test_the_rival_draws_pictures_like_those_of_the_class_asked_for():
    random = np.random.default_rng(0)
    labels = np.arange(40) % 2
    pictures = (100 * labels[:, None, None, None] + random.integers(0, 20, (40, 4, 4, 1))).astype(np.uint8)
    drawn = ComponentGaussians(pictures, labels).drawn(np.array([0, 1]))
    assert drawn[0].mean() < 50 < drawn[1].mean()

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from core.pictures.augmentation import cutmix, erased, mixup, moved

SEED = tf.constant([3, 4])
PICTURES = tf.constant(np.random.default_rng(0).uniform(0, 255, (64, 12, 10, 3)), tf.float32)
TARGETS = tf.one_hot(tf.range(64) % 4, 4)


def test_nothing_asked_for_leaves_pictures_as_they_were():
    np.testing.assert_array_equal(moved(PICTURES, SEED), PICTURES)


def test_a_flip_mirrors_about_half_of_the_pictures():
    flipped = moved(PICTURES, SEED, flip=True).numpy()
    same = np.isclose(flipped, PICTURES, atol=1e-3).all(axis=(1, 2, 3))
    mirrored = np.isclose(flipped, PICTURES[:, :, ::-1], atol=1e-3).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 20 < mirrored.sum() < 44


def test_a_shift_moves_by_whole_pixels_up_to_the_limit_in_every_direction():
    shifted = moved(PICTURES, SEED, shift=2).numpy()
    shifts = set()
    for before, after in zip(PICTURES.numpy(), shifted, strict=True):
        moves = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.allclose(np.roll(before, (down, right), (0, 1))[2:-2, 2:-2], after[2:-2, 2:-2], atol=1e-3)
        ]
        assert len(moves) == 1
        shifts.add(moves[0])
    assert {down for down, _ in shifts} == {right for _, right in shifts} == {-2, -1, 0, 1, 2}


def test_a_turn_keeps_the_middle_and_carries_a_mark_round_it():
    marked = np.zeros((64, 21, 21, 1), np.float32)
    marked[:, 10, 18] = 255
    turned = moved(tf.constant(marked), SEED, rotation=30).numpy()[..., 0]
    rows, columns = np.meshgrid(np.arange(21), np.arange(21), indexing="ij")
    weight = turned.sum(axis=(1, 2))
    row, column = ((turned * places).sum(axis=(1, 2)) / weight for places in (rows, columns))
    np.testing.assert_allclose(np.hypot(row - 10, column - 10), 8, atol=0.3)
    angles = np.degrees(np.arctan2(row - 10, column - 10))
    assert np.abs(angles).max() < 31
    assert angles.min() < -20
    assert angles.max() > 20


def test_what_is_erased_is_a_rectangle_of_the_mean_in_the_share_asked_for():
    result = erased(PICTURES, SEED, 0.5).numpy()
    changed = (result != PICTURES.numpy()).any(axis=-1)
    touched = changed.any(axis=(1, 2))
    assert 16 < touched.sum() < 48
    for place in np.flatnonzero(touched):
        box = changed[place].any(axis=1)[:, None] & changed[place].any(axis=0)[None, :]
        np.testing.assert_array_equal(changed[place], box)
        expected = np.broadcast_to(PICTURES[place].numpy().mean(axis=(0, 1)), result[place][box].shape)
        np.testing.assert_allclose(result[place][box], expected, rtol=1e-4)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 5.0])
def test_mixup_weighs_pictures_as_it_weighs_their_targets(alpha):
    levels = tf.ones([64, 6, 6, 1]) * tf.reshape(tf.range(64, dtype=tf.float32), [64, 1, 1, 1])
    mixed, targets = mixup(levels, tf.eye(64), SEED, alpha)
    np.testing.assert_allclose(targets.numpy().sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(mixed.numpy()[:, 0, 0, 0], targets.numpy() @ np.arange(64), atol=1e-3)


def test_cutmix_pastes_one_rectangle_and_counts_its_area_in_the_target():
    levels = tf.ones([64, 12, 10, 1]) * tf.reshape(tf.range(64, dtype=tf.float32), [64, 1, 1, 1])
    mixed, targets = cutmix(levels, tf.eye(64), SEED, 1.0)
    foreign = mixed.numpy()[..., 0] == np.arange(64)[::-1, None, None]
    own = mixed.numpy()[..., 0] == np.arange(64)[:, None, None]
    assert (foreign ^ own).all()
    np.testing.assert_allclose(
        targets.numpy()[np.arange(64), np.arange(64)], own.mean(axis=(1, 2)), atol=1e-6
    )
    for place in range(64):
        box = foreign[place].any(axis=1)[:, None] & foreign[place].any(axis=0)[None, :]
        np.testing.assert_array_equal(foreign[place], box)


@pytest.mark.parametrize(
    "change",
    [
        lambda seed: moved(PICTURES, seed, flip=True, shift=2, rotation=10),
        lambda seed: erased(PICTURES, seed, 0.5),
        lambda seed: mixup(PICTURES, TARGETS, seed, 0.2)[0],
        lambda seed: cutmix(PICTURES, TARGETS, seed, 1.0)[0],
    ],
    ids=["moved", "erased", "mixup", "cutmix"],
)
def test_the_same_seed_gives_the_same_pictures_and_another_gives_others(change):
    np.testing.assert_array_equal(change(SEED), change(SEED))
    assert (change(SEED).numpy() != change(SEED + 1).numpy()).any()

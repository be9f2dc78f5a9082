"""Batches of pictures changed at random, in TensorFlow operations, as functions of a seed alone.

Keras' own preprocessing layers keep the state of their random numbers to themselves, so a training that
was cut off could not see the same pictures again.
"""

from __future__ import annotations

import math

import tensorflow as tf

Mixed = tuple[tf.Tensor, tf.Tensor]


def moved(
    pictures: tf.Tensor, seed: tf.Tensor, *, flip: bool = False, shift: int = 0, rotation: float = 0.0
) -> tf.Tensor:
    """Return pictures mirrored, turned about their middle and shifted, in one interpolation.

    What comes in from beyond the border is the picture's own mirror image.

    Args:
        pictures: float32, shape `(batch_size, height, width, channels)`.
        seed: int32, shape `(2,)`.
        flip: Mirror half of the pictures left to right.
        shift: Largest move along each axis, whole pixels.
        rotation: Largest turn in either direction, degrees.

    Returns:
        float32, of the same shape.
    """
    count, height, width = tf.shape(pictures)[0], pictures.shape[1], pictures.shape[2]
    seeds = tf.random.split(seed, 3)
    sign = tf.ones([count])
    if flip:
        sign = tf.where(tf.random.stateless_uniform([count], seeds[0]) < 0.5, -sign, sign)
    limit = rotation * math.pi / 180.0
    angle = tf.random.stateless_uniform([count], seeds[1], -limit, limit) if limit else tf.zeros([count])
    by = tf.random.stateless_uniform([2, count], seeds[2], -shift, shift + 1, tf.int32)
    right, down = tf.unstack(tf.cast(by, tf.float32))
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # From places (x, y) in the result to places in the picture: (a x + b y + c, d x + e y + f).
    a, b, d, e = sign * cosine, -sign * sine, sine, cosine
    c = middle_x - a * middle_x - b * middle_y - right
    f = middle_y - d * middle_x - e * middle_y - down
    nothing = tf.zeros([count])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=tf.stack([a, b, c, d, e, f, nothing, nothing], axis=1),
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def erased(pictures: tf.Tensor, seed: tf.Tensor, share: float) -> tf.Tensor:
    """Return pictures of which some have a rectangle filled with their own mean.

    Zhong et al., Random Erasing Data Augmentation (2020); the area is 2% to 30%, the sides 1 to 3 at most.

    Args:
        pictures: float32, shape `(batch_size, height, width, channels)`.
        seed: int32, shape `(2,)`.
        share: Of the pictures that are changed, 0 to 1.

    Returns:
        float32, of the same shape.
    """
    count = tf.shape(pictures)[0]
    seeds = tf.random.split(seed, 3)
    chosen = tf.random.stateless_uniform([count, 1, 1, 1], seeds[0]) < share
    area = tf.random.stateless_uniform([count], seeds[1], 0.02, 0.3)
    inside = _rectangles(pictures, area, seeds[2], stretch=math.log(3.0))
    mean = tf.reduce_mean(pictures, axis=(1, 2), keepdims=True)
    return tf.where(chosen & inside, mean, pictures)


def mixup(pictures: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor, alpha: float) -> Mixed:
    """Return weighted sums of each picture and another of the batch, and of their targets.

    Zhang et al., mixup: Beyond Empirical Risk Minimization (2018).

    Args:
        pictures: float32, shape `(batch_size, height, width, channels)`.
        targets: One-hot, float32, shape `(batch_size, num_labels)`.
        seed: int32, shape `(2,)`.
        alpha: Of the symmetric beta distribution that weights are drawn from; the smaller, the less is mixed.
    """
    weight = _beta(tf.shape(pictures)[0], alpha, seed)
    other, other_targets = _partners(pictures, targets)
    across = weight[:, None, None, None]
    return (
        across * pictures + (1 - across) * other,
        weight[:, None] * targets + (1 - weight[:, None]) * other_targets,
    )


def cutmix(pictures: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor, alpha: float) -> Mixed:
    """Return pictures with a rectangle of another of the batch pasted in, and targets in shares of the area.

    Yun et al., CutMix (2019).

    Args:
        pictures: float32, shape `(batch_size, height, width, channels)`.
        targets: One-hot, float32, shape `(batch_size, num_labels)`.
        seed: int32, shape `(2,)`.
        alpha: Of the symmetric beta distribution that the area is drawn from.
    """
    seeds = tf.random.split(seed, 2)
    inside = _rectangles(pictures, _beta(tf.shape(pictures)[0], alpha, seeds[0]), seeds[1])
    other, other_targets = _partners(pictures, targets)
    # A rectangle over the border is cut off there, so its share of the target is what it really covers.
    share = tf.reduce_mean(tf.cast(inside, tf.float32), axis=(1, 2))
    return tf.where(inside, other, pictures), (1 - share) * targets + share * other_targets


def _partners(pictures: tf.Tensor, targets: tf.Tensor) -> Mixed:
    """Return the batch from its end: the order of a training batch is random already."""
    return tf.reverse(pictures, [0]), tf.reverse(targets, [0])


def _beta(count: tf.Tensor, alpha: float, seed: tf.Tensor) -> tf.Tensor:
    first, second = tf.unstack(tf.random.stateless_gamma([2, count], seed, alpha))
    # Both can fall below the smallest number when alpha is small.
    return (first + 1e-30) / (first + second + 2e-30)


def _rectangles(pictures: tf.Tensor, area: tf.Tensor, seed: tf.Tensor, stretch: float = 0.0) -> tf.Tensor:
    """Return true inside one rectangle for each picture, with its middle anywhere.

    Args:
        pictures: Of which the shape counts.
        area: Share of the picture's, shape `(batch_size,)`.
        seed: int32, shape `(2,)`.
        stretch: Largest logarithm of the ratio of its sides, in either direction.

    Returns:
        bool, shape `(batch_size, height, width, 1)`.
    """
    count = tf.shape(pictures)[0]
    seeds = tf.random.split(seed, 2)
    ratio = tf.exp(tf.random.stateless_uniform([count], seeds[0], -stretch, stretch) / 2)
    middles = tf.unstack(tf.random.stateless_uniform([2, count], seeds[1]))
    sides = (tf.sqrt(area) * ratio, tf.sqrt(area) / ratio)
    within = []
    for size, middle, side in zip(pictures.shape[1:3], middles, sides, strict=True):
        place = (tf.range(size, dtype=tf.float32) + 0.5) / size
        within.append(tf.abs(place - middle[:, None]) <= side[:, None] / 2)
    rows, columns = within
    return (rows[:, :, None] & columns[:, None, :])[..., None]

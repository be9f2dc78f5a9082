"""From examples of pictures with boxes to what a net takes and learns towards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.vision.boxes.augmentation import Augmentation, Changes, padded
from apps.vision.boxes.encoder import DetectionEncoder
from apps.vision.boxes.letterbox import Letterbox, letterboxed
from apps.vision.boxes.reading import labels_in, opened
from core.data.lookup import places_among
from core.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf

    from core.data.examples import Examples
    from core.data.feed import Feed


def size_of(examples: Examples, row: int) -> tuple[int, int]:
    """Return the height and the width that a picture had before it was brought to the shape of all."""
    height, width = examples["size"][row].tolist()
    return height, width


def picture_of(value: Any, encoder: DetectionEncoder) -> np.ndarray:
    """Return a raw input as a picture in its own size: the path of a file, or what is decoded already.

    Raises:
        UserError: It can't be read.
    """
    if isinstance(value, np.ndarray):
        return value
    picture = opened(Path(value), encoder.shape[2])
    assert picture is not None
    return picture


def pictures_for(examples: Examples, encoder: DetectionEncoder) -> np.ndarray:
    """Return the pictures in the shape that the model takes, uint8, `(num_examples, *shape)`.

    Raises:
        UserError: They are in another shape, and there are no files to read anew.
    """
    if examples["image"].shape[1:] == encoder.shape:
        return examples["image"]
    if "path" not in examples:
        raise UserError(
            f"The model takes pictures of shape {encoder.shape}, and {examples.source} has others. "
            f"Received: shape {examples['image'].shape[1:]}."
        )
    from core.data.larger_than_memory import allocated

    pictures = allocated((len(examples), *encoder.shape), np.uint8)
    for row, path in enumerate(examples["path"].tolist()):
        pictures[row] = letterboxed(picture_of(path, encoder), encoder.shape[:2])
    return pictures


def objects_in(examples: Examples, encoder: DetectionEncoder) -> list[np.ndarray]:
    """Return class and box of the objects of each picture, in the pixels of the net, `(num_objects, 5)`.

    Raises:
        UserError: A class was never seen in training.
    """
    boxes, every = examples.ragged("boxes"), []
    for row, labels in enumerate(labels_in(examples)):
        ids = places_among(encoder.labels, np.array(labels, np.dtypes.StringDType()))
        if (ids < 0).any():
            strange = labels[int(ids.argmin())]
            raise UserError(
                f"{examples.source} has boxes of a class that training never saw; known are "
                f"{', '.join(encoder.labels[:10])}. Received: {strange!r} in picture {row}."
            )
        own = Letterbox.of(size_of(examples, row), encoder.shape[:2]).boxes_in(boxes[row])
        every.append(np.column_stack([ids, own]).astype(np.float32))
    return every


def batches_of(
    examples: Examples, encoder: DetectionEncoder, feed: Feed, changes: Changes
) -> tf.data.Dataset:
    """Return batches of pictures, and of classes and boxes padded with rows of class -1.

    Args:
        examples: Pictures, with boxes or without.
        encoder: Classes, and the shape that the model takes.
        feed: Batch size, order, seed, and whether this is training.
        changes: What is changed at random while training.
    """
    import tensorflow as tf

    pictures = pictures_for(examples, encoder)
    rows = np.arange(len(examples), dtype=np.int32)

    def images(rows: tf.Tensor) -> tf.Tensor:
        cached = tf.numpy_function(lambda rows: np.asarray(pictures[rows]), [rows], tf.uint8)
        return tf.ensure_shape(cached, (None, *encoder.shape))

    if "boxes" not in examples:
        return feed.batches(rows, prepare=lambda rows, _: (images(rows), None))
    objects = objects_in(examples, encoder)

    def prepare(rows: tf.Tensor, _: Any) -> tuple[tf.Tensor, tf.Tensor]:
        own = tf.numpy_function(lambda rows: padded([objects[row] for row in rows]), [rows], tf.float32)
        return images(rows), tf.ensure_shape(own, (None, None, 5))

    if not feed.training:
        return feed.batches(rows, prepare=prepare)
    augmentation = Augmentation(pictures, objects, changes)

    def transform(rows: tf.Tensor, _: Any, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        changed, own = tf.numpy_function(augmentation.batch, [rows, seed], [tf.uint8, tf.float32])
        return tf.ensure_shape(changed, (None, *encoder.shape)), tf.ensure_shape(own, (None, None, 5))

    return feed.batches(rows, transform=transform)

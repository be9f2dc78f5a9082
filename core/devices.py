"""What an accelerator needs from a training: memory that grows, and batches that are there in time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

# Read by TensorFlow and JAX when they are imported, and passed on to the processes of a search.
GROWING_MEMORY = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def let_memory_grow() -> None:
    """Let this process take an accelerator's memory as it needs it, and not all at once.

    It has to be called before TensorFlow or JAX is imported; what the environment says already stays.
    """
    for name, value in GROWING_MEMORY.items():
        os.environ.setdefault(name, value)


def accelerator() -> str | None:
    """Return TensorFlow's name of the first GPU; nothing where there is none, or on another backend."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    return gpus[0].name if gpus else None


def prefetched(dataset: tf.data.Dataset, device: str | None) -> tf.data.Dataset:
    """Return the same batches, each copied to a device while the one before is learnt from.

    Args:
        dataset: Batches; where they hold text, which no accelerator takes, they stay as they are.
        device: As `accelerator` names it; without one they stay likewise. On JAX, Keras copies ahead itself.

    Returns:
        A data set of unknown cardinality, which nothing can follow on but the training.

    Example:

    >>> import tensorflow as tf
    >>> batches = tf.data.Dataset.range(3).batch(2)
    >>> [batch.numpy().tolist() for batch in prefetched(batches, "/CPU:0")]
    [[0, 1], [2]]
    """
    import tensorflow as tf

    specs = tf.nest.flatten(dataset.element_spec)
    if device is None or any(spec.dtype == tf.string for spec in specs):
        return dataset
    return dataset.apply(tf.data.experimental.prefetch_to_device(device))


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Set Keras' dtype policy for the length of a block; `auto` is the plain one."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if name == "auto" else name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

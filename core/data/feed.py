"""The order in which examples reach a model, and the batches that tf.data makes of it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from core.data.examples import Column, Ragged

# Batches that are sorted by length together: more waste less padding, fewer mix lengths better.
POOL_BATCHES = 100
# Batches that are ready before they are asked for, and those that are made at once, at most.
PREFETCHED, IN_PARALLEL = 4, 16

# To which rows are padded where each length costs a compilation: four an octave, at most a quarter too long.
FEW_LENGTHS = np.array([0, 1, 2, 3, *(step << octave for octave in range(28) for step in (4, 5, 6, 7))])

Nest = Any  # a column, a `Repeated`, or a dict or tuple of them
Prepare = Callable[[Any, Any], tuple[Any, Any]]
Transform = Callable[[Any, Any, tf.Tensor], tuple[Any, Any]]


@dataclass(frozen=True, eq=False)
class Repeated:
    """A column whose rows are those of a shorter one, held once however often they come.

    Args:
        values: An array or a `Ragged`, such as the words of each text.
        rows: Which of its rows each example has, int, shape `(num_examples,)`.

    Example:

    >>> column = Repeated(Ragged.from_rows([[1, 2], [3]]), np.array([1, 0, 1]))
    >>> [batch.numpy().tolist() for (batch,) in Feed(batch_size=2).batches(column)]
    [[[3, 0], [1, 2]], [[3]]]
    """

    values: Column
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Feed:
    """The order in which examples reach a model: a pure function of (seed, epoch, step).

    A training that was cut off goes on with the very batches it would have seen: `Feed(..., epoch=3,
    step=17)` starts where `Feed(...)` stands after 3 epochs and 17 steps.

    Args:
        batch_size: Examples a step, at least 1.
        training: An endless stream in random order; otherwise one pass in the examples' own order.
        seed: Chooses the order, at least 0. Training only.
        epoch: The epoch that the stream starts in, from 0. Training only.
        step: The step within that epoch that the stream starts at, from 0. Training only.
        probability: How often each example is drawn, shape `(num_examples,)`, any positive scale. An epoch
            then draws as many examples as there are, with replacement. Training only.
        sample_weight: A column that becomes the third element of each batch: shape `(num_examples,)`, or a
            `Ragged` with a weight for every position.
        pad_to_multiple: `Ragged` columns are padded with zeros to the longest row of the batch, rounded up to
            a multiple of this; where it is 1 on JAX, to one of four lengths an octave, since XLA compiles
            each length anew.

    Example:

    >>> feed = Feed(batch_size=2, training=True, seed=1)
    >>> dataset = feed.batches(np.arange(5))
    >>> [batch.numpy().tolist() for (batch,) in dataset.take(feed.steps(5))]
    [[4, 0], [1, 2], [3]]
    """

    batch_size: int
    training: bool = False
    seed: int = 0
    epoch: int = 0
    step: int = 0
    probability: np.ndarray | None = None
    sample_weight: Column | None = None
    pad_to_multiple: int = 1

    def __post_init__(self) -> None:
        for name, least in {"batch_size": 1, "seed": 0, "epoch": 0, "step": 0, "pad_to_multiple": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}. Received: {name}={getattr(self, name)}.")

    def steps(self, num_examples: int) -> int:
        """Return the number of batches in an epoch; the last one may be smaller."""
        return math.ceil(num_examples / self.batch_size)

    def batches(
        self,
        x: Nest,
        y: Nest = None,
        *,
        lengths: np.ndarray | None = None,
        prepare: Prepare | None = None,
        transform: Transform | None = None,
    ) -> tf.data.Dataset:
        """Return batches `(x,)`, `(x, y)` or `(x, y, sample_weight)` for `fit`, `evaluate` or `predict`.

        In training the stream has no end: use `model.fit(dataset, steps_per_epoch=feed.steps(num_examples),
        initial_epoch=feed.epoch)`. A memory map is read from disk batch by batch, all else is held in memory;
        float64 becomes float32, text becomes `tf.string`.

        Args:
            x: The inputs: a column (an array, a `Ragged` or a `Repeated`), or a dict or tuple of columns.
            y: The targets, likewise.
            lengths: How long each example is, shape `(num_examples,)`. Training batches then hold examples of
                similar length, so that little is spent on padding.
            prepare: `(x, y) -> (x, y)` in TensorFlow operations, called on each batch, such as the decoding
                of pictures. `y` is None where there are no targets.
            transform: `(x, y, seed) -> (x, y)`, called on each training batch after `prepare`, such as a
                random crop or MixUp. `seed` is int32 of shape `(2,)`, for `tf.random.stateless_*`; it is a
                function of (seed, epoch, step) alone.

        Raises:
            ValueError: If columns differ in length, are none, or `step` lies beyond the epoch.
        """
        columns = (x,) if y is None and self.sample_weight is None else (x, y)
        columns += () if self.sample_weight is None else (self.sample_weight,)
        num_examples = _num_examples((columns, self.probability if self.training else None, lengths))
        read = tf.nest.map_structure(lambda column: _reader(column, self.pad_to_multiple), columns)

        def load(rows: tf.Tensor, seed: tf.Tensor) -> tuple:
            batch = tf.nest.map_structure(lambda reader: reader(rows), read)
            inputs, targets = batch[0], batch[1] if len(batch) > 1 else None
            if prepare is not None:
                inputs, targets = prepare(inputs, targets)
            if transform is not None and self.training:
                inputs, targets = transform(inputs, targets, seed)
            return (inputs,) if targets is None and len(batch) < 3 else (inputs, targets, *batch[2:])

        order = self._endless(num_examples, lengths) if self.training else self._one_pass(num_examples)
        at_once = min(os.cpu_count() or 1, IN_PARALLEL)
        loaded = order.map(load, num_parallel_calls=at_once, deterministic=True).prefetch(PREFETCHED)
        options = tf.data.Options()
        # The thread that tunes a pipeline may miss that it is to end: a training then ended seconds later.
        options.autotune.enabled = False
        return loaded.with_options(options)

    def _one_pass(self, num_examples: int) -> tf.data.Dataset:
        seed = tf.zeros(2, tf.int32)

        def rows(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            start = step * self.batch_size
            return tf.range(start, tf.minimum(start + self.batch_size, num_examples)), seed

        return tf.data.Dataset.range(self.steps(num_examples)).map(rows)

    def _endless(self, num_examples: int, lengths: np.ndarray | None) -> tf.data.Dataset:
        steps = self.steps(num_examples)
        if self.step >= steps:
            raise ValueError(f"step must be below the {steps} steps of an epoch. Received: step={self.step}.")

        def epoch_rows(epoch: tf.Tensor) -> tf.data.Dataset:
            def shuffled(epoch: np.int64) -> np.ndarray:
                return epoch_order(
                    num_examples,
                    self.batch_size,
                    self.seed,
                    int(epoch),
                    lengths=lengths,
                    probability=self.probability,
                )

            order = tf.ensure_shape(tf.numpy_function(shuffled, [epoch], tf.int64), (num_examples,))

            def rows(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                return order[step * self.batch_size : (step + 1) * self.batch_size], self._seed(epoch, step)

            first = tf.where(epoch == self.epoch, tf.constant(self.step, tf.int64), 0)
            return tf.data.Dataset.range(first, steps).map(rows)

        endless = tf.data.Dataset.counter(self.epoch).flat_map(epoch_rows)
        return endless.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))

    def _seed(self, epoch: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        fold_in = tf.random.experimental.stateless_fold_in
        return fold_in(
            fold_in(tf.constant([self.seed, 0]), tf.cast(epoch, tf.int32)), tf.cast(step, tf.int32)
        )


def whole_batch(x: Nest, prepare: Prepare | None = None) -> Any:
    """Return all examples as one batch, without a pipeline, which costs more to build than a small batch.

    Args:
        x: A column, or a dict or tuple of columns, as `Feed.batches` takes.
        prepare: As there.

    Example:

    >>> whole_batch(Ragged.from_rows([[1, 2], [3]])).numpy().tolist()
    [[1, 2], [3, 0]]
    """
    batch = tf.nest.map_structure(_whole, x)
    return batch if prepare is None else prepare(batch, None)[0]


def for_backend(batch: Any) -> Any:
    """Return a batch as a model's `predict_on_batch` takes it: JAX and PyTorch know no tensors of TensorFlow.

    Args:
        batch: A tensor of numbers, or a dict or tuple of tensors.

    Example:

    >>> np.asarray(for_backend({"ids": tf.constant([3, 4])})["ids"]).tolist()
    [3, 4]
    """
    if keras.backend.backend() == "tensorflow":
        return batch
    return tf.nest.map_structure(np.asarray, batch)


def _takes_few_lengths() -> bool:
    return keras.backend.backend() == "jax"


def _whole(column: Column | None) -> tf.Tensor | None:
    if isinstance(column, Ragged):
        values = np.asarray(column.values)
        longest = column.lengths.max(initial=0)
        if _takes_few_lengths():
            longest = FEW_LENGTHS[np.searchsorted(FEW_LENGTHS, longest)]
        padded = np.zeros((len(column), longest, *values.shape[1:]), values.dtype)
        padded[np.arange(padded.shape[1]) < column.lengths[:, None]] = values
        return _as_tensor(padded)
    return None if column is None else _as_tensor(np.asarray(column))


def epoch_order(
    num_examples: int,
    batch_size: int,
    seed: int,
    epoch: int,
    *,
    lengths: np.ndarray | None = None,
    probability: np.ndarray | None = None,
) -> np.ndarray:
    """Return the examples of one epoch in order: each `batch_size` of them in turn are a batch.

    Args:
        num_examples: How many there are.
        batch_size: Examples a batch; the last batch holds what is left over.
        seed: Chooses the order, at least 0.
        epoch: From 0; each has an order of its own.
        lengths: How long each example is, shape `(num_examples,)`: examples are sorted by length within
            random pools of 100 batches, and the full batches are then shuffled.
        probability: How often each is drawn, shape `(num_examples,)`; draws with replacement.

    Returns:
        Indices, int64, shape `(num_examples,)`.
    """
    random = np.random.default_rng([seed, epoch])
    if probability is None:
        order = random.permutation(num_examples)
    else:
        order = random.choice(
            num_examples, num_examples, p=probability / np.sum(probability, dtype=np.float64)
        )
    if lengths is None:
        return order.astype(np.int64)
    pool = np.arange(num_examples) // (POOL_BATCHES * batch_size)
    order = order[np.lexsort((np.asarray(lengths)[order], pool))]
    full = num_examples // batch_size
    batches = order[: full * batch_size].reshape(full, batch_size)
    return np.concatenate([random.permutation(batches).ravel(), order[full * batch_size :]]).astype(np.int64)


def _num_examples(columns: Nest) -> int:
    lengths = set()
    for column in tf.nest.flatten(columns):
        if column is None:
            continue
        if not isinstance(column, np.ndarray | Ragged | Repeated):
            raise ValueError(
                "x and y must be NumPy arrays, Ragged or Repeated, or a dict or tuple of them. "
                f"Received: a value of type {type(column).__name__}."
            )
        lengths.add(len(column))
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"Columns must be of one length, at least 1. Received: lengths {sorted(lengths)}.")
    return lengths.pop()


def _reader(
    column: Column | Repeated | None, pad_to_multiple: int
) -> Callable[[tf.Tensor], tf.Tensor | None]:
    """Return the function that reads the rows at given indices as one dense tensor."""
    if column is None:
        return lambda rows: None
    if isinstance(column, Repeated):
        read_shared, shared = _reader(column.values, pad_to_multiple), _as_tensor(column.rows)
        return lambda rows: read_shared(tf.gather(shared, rows))
    if isinstance(column, Ragged):
        return _ragged_reader(column, pad_to_multiple)
    if isinstance(column, np.memmap):
        dtype = _as_tensor(column[:1]).dtype

        def read(rows: tf.Tensor) -> tf.Tensor:
            values = tf.numpy_function(
                lambda rows: _narrow(np.asarray(column[rows])), [rows], dtype, stateful=False
            )
            return tf.ensure_shape(values, (None, *column.shape[1:]))

        return read
    tensor = _as_tensor(column)
    return lambda rows: tf.gather(tensor, rows)


def _ragged_reader(column: Ragged, pad_to_multiple: int) -> Callable[[tf.Tensor], tf.Tensor]:
    shape = (None, None, *column.values.shape[1:])

    def pad(ragged: tf.RaggedTensor) -> tf.Tensor:
        longest = ragged.bounding_shape(axis=1)
        longest = -(-longest // pad_to_multiple) * pad_to_multiple
        if pad_to_multiple == 1 and _takes_few_lengths():
            longest = tf.gather(FEW_LENGTHS, tf.searchsorted(FEW_LENGTHS, longest[None])[0])
        whole = [tf.constant(-1, tf.int64)]
        return tf.ensure_shape(
            ragged.to_tensor(shape=tf.stack(whole + [longest] + whole * (len(shape) - 2))), shape
        )

    if isinstance(column.values, np.memmap):
        dtype = _as_tensor(column.values[:1]).dtype

        def take(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            taken = column.take(rows)
            return _narrow(np.asarray(taken.values)), taken.offsets

        def read(rows: tf.Tensor) -> tf.Tensor:
            values, offsets = tf.numpy_function(take, [rows], [dtype, tf.int64], stateful=False)
            values = tf.ensure_shape(values, (None, *shape[2:]))
            return pad(
                tf.RaggedTensor.from_row_splits(values, tf.ensure_shape(offsets, (None,)), validate=False)
            )

        return read
    values, offsets = _as_tensor(column.values), _as_tensor(column.offsets)

    def gather(rows: tf.Tensor) -> tf.Tensor:
        # Built inside, because a ragged tensor that a function captures is split up and joined at every call.
        return pad(tf.gather(tf.RaggedTensor.from_row_splits(values, offsets, validate=False), rows))

    return gather


def _as_tensor(column: np.ndarray) -> tf.Tensor:
    with tf.device("CPU:0"):  # the accelerator's memory is for the model
        return tf.convert_to_tensor(_narrow(column))


def _narrow(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind in "TU":
        return column.astype(object)
    return column.astype(np.float32) if column.dtype == np.float64 else column

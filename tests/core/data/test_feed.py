from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from core.data.examples import Ragged
from core.data.feed import Feed, Repeated, epoch_order, whole_batch

ROWS = Ragged.from_rows([[1, 2], [3], [4, 5, 6], [], [7]])


def values(dataset: tf.data.Dataset, count: int) -> list:
    """Takes batches as nested lists."""
    return [
        tf.nest.map_structure(lambda tensor: tensor.numpy().tolist(), batch) for batch in dataset.take(count)
    ]


def test_an_epoch_holds_every_example_once():
    order = epoch_order(103, 10, seed=3, epoch=0)
    assert sorted(order) == list(range(103))


def test_epochs_and_seeds_have_orders_of_their_own_that_come_back():
    orders = [epoch_order(50, 8, seed, epoch).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert orders[3] == epoch_order(50, 8, seed=1, epoch=1).tolist()


def test_batches_by_length_hold_every_example_once_and_waste_little_padding():
    random = np.random.default_rng(0)
    lengths = 1 + random.lognormal(3, 0.6, 20_001).astype(
        int
    )  # as sentences have them: mean 25, longest about 200
    order = epoch_order(len(lengths), 32, seed=0, epoch=0, lengths=lengths)
    assert sorted(order) == list(range(len(lengths)))
    batches = [lengths[order[start : start + 32]] for start in range(0, len(lengths), 32)]
    padded = sum(len(batch) * batch.max() for batch in batches)
    assert 1 - lengths.sum() / padded < 0.15
    longest = [batch.max() for batch in batches[:100]]
    assert longest != sorted(longest)


def test_probability_draws_with_replacement_in_proportion():
    probability = np.array([0.0, 1.0, 3.0, 0.0])
    order = np.concatenate([epoch_order(4, 2, 0, epoch, probability=probability) for epoch in range(500)])
    counts = np.bincount(order, minlength=4)
    assert counts[0] == counts[3] == 0
    assert counts[2] / counts[1] == pytest.approx(3, rel=0.15)


def test_training_streams_one_epoch_order_after_another():
    feed = Feed(4, training=True, seed=5)
    seen = values(feed.batches(np.arange(10)), 2 * feed.steps(10))
    assert [len(batch) for (batch,) in seen] == [4, 4, 2, 4, 4, 2]
    flat = [example for (batch,) in seen for example in batch]
    assert flat == [*epoch_order(10, 4, 5, 0), *epoch_order(10, 4, 5, 1)]


@pytest.mark.parametrize(("epoch", "step"), [(0, 1), (1, 0), (1, 2), (2, 1)])
def test_a_stream_that_starts_later_continues_the_same_batches(epoch: int, step: int):
    def noisy(x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> tuple:
        return tf.cast(x, tf.float32) + tf.random.stateless_uniform(tf.shape(x), seed), y

    feed = Feed(4, training=True, seed=5, probability=np.arange(1, 11))
    data = {"x": np.arange(10), "y": np.arange(10), "lengths": np.arange(10) % 4, "transform": noisy}
    whole = values(feed.batches(**data), 12)
    later = values(replace(feed, epoch=epoch, step=step).batches(**data), 3)
    assert later == whole[3 * epoch + step :][:3]


def test_seeds_of_transform_differ_from_step_to_step_and_epoch_to_epoch():
    feed = Feed(2, training=True, seed=5)
    seen = values(feed.batches(np.arange(6), transform=lambda x, y, seed: (x, seed)), 9)
    assert len({tuple(seed) for _, seed in seen}) == 9
    assert (
        feed.batches(np.arange(6), transform=lambda x, y, seed: (x, seed)).element_spec[1].dtype == tf.int32
    )


def test_evaluation_keeps_the_examples_order_and_ignores_transform():
    dataset = Feed(2).batches(
        np.arange(5), lengths=np.array([5, 4, 3, 2, 1]), transform=lambda x, y, seed: (x * 0, y)
    )
    assert values(dataset, 9) == [([0, 1],), ([2, 3],), ([4],)]
    assert dataset.cardinality() == 3


def test_prepare_is_called_in_training_and_in_evaluation():
    def prepare(x: tf.Tensor, y: None) -> tuple:
        return x[:, :-1], x[:, 1:]

    tokens = np.array([[1, 2, 3]])
    for training in (False, True):
        assert values(Feed(2, training).batches(tokens, prepare=prepare), 1) == [([[1, 2]], [[2, 3]])]


def test_ragged_columns_are_padded_to_the_longest_row_of_the_batch():
    assert values(Feed(2).batches(ROWS), 3) == [([[1, 2], [3, 0]],), ([[4, 5, 6], [0, 0, 0]],), ([[7]],)]


def test_padding_can_be_rounded_up():
    dataset = Feed(3, pad_to_multiple=4).batches(ROWS)
    assert [np.shape(batch) for (batch,) in values(dataset, 2)] == [(3, 4), (2, 4)]


@pytest.mark.parametrize(("longest", "padded"), [(0, 0), (3, 3), (9, 10), (32, 32), (33, 40)])
def test_rows_are_padded_to_few_lengths_on_jax(monkeypatch, longest, padded):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    rows = Ragged.from_rows([[1] * longest, []], np.int32)
    [(batch,)] = Feed(2).batches(rows)
    assert batch.shape == whole_batch(rows).shape == (2, padded)
    assert int(tf.reduce_sum(batch)) == longest


def test_ragged_rows_of_vectors_keep_their_width():
    rows = Ragged(np.arange(10.0).reshape(5, 2), np.array([0, 3, 5]))
    dataset = Feed(2).batches(rows)
    assert values(dataset, 1) == [([[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [0, 0]]],)]
    assert dataset.element_spec[0] == tf.TensorSpec((None, None, 2), tf.float32)


def test_text_becomes_tensors_of_bytes():
    text = np.array(["café", ""], np.dtypes.StringDType())
    assert values(Feed(2).batches(text), 1) == [(["café".encode(), b""],)]


def test_nests_and_sample_weight_arrive_in_the_same_order():
    column = np.arange(6)
    feed = Feed(2, training=True, sample_weight=column / 10)
    for x, y, weight in values(feed.batches({"a": column, "b": (column * 2, column * 3)}, column * 4), 3):
        x_a, x_b, x_c = np.array(x["a"]), np.array(x["b"][0]), np.array(x["b"][1])
        assert np.array_equal([x_a * 2, x_a * 3, x_a * 4], [x_b, x_c, np.array(y)])
        np.testing.assert_allclose(weight, x_a / 10, rtol=1e-6)


def test_memory_maps_give_the_same_batches_as_arrays(tmp_path):
    array = np.random.default_rng(0).random((7, 3))
    for name, values_on_disk in {"rows.npy": array, "flat.npy": ROWS.values}.items():
        np.save(tmp_path / name, values_on_disk)
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")[:5]
    ragged = Ragged(np.load(tmp_path / "flat.npy", mmap_mode="r"), ROWS.offsets)
    feed = Feed(2, training=True)
    from_disk, from_memory = feed.batches((rows, ragged)), feed.batches((array[:5], ROWS))
    assert values(from_disk, 6) == values(from_memory, 6)
    shapes = [
        [spec.shape.as_list() for spec in tf.nest.flatten(data.element_spec)]
        for data in (from_disk, from_memory)
    ]
    assert shapes[0] == shapes[1]


def test_fit_runs_exactly_the_steps_of_its_epochs():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    feed = Feed(4, training=True)
    x = np.zeros((10, 1), np.float32)
    model.fit(
        feed.batches(x, x), epochs=2, steps_per_epoch=3, validation_data=Feed(4).batches(x, x), verbose=0
    )
    assert int(model.optimizer.iterations) == 6


@pytest.mark.parametrize(
    ("field", "message"),
    [({"batch_size": 0}, "batch_size must be at least 1"), ({"seed": -1}, "seed"), ({"epoch": -1}, "epoch")],
)
def test_a_field_out_of_range_is_refused(field: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Feed(**{"batch_size": 2, **field})


def test_a_step_beyond_the_epoch_is_refused():
    with pytest.raises(ValueError, match=r"below the 3 steps.*Received: step=3"):
        Feed(2, training=True, step=3).batches(np.arange(5))


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"Received: lengths \[4, 5\]"):
        Feed(2).batches(np.arange(5), np.arange(4))


def test_a_list_is_refused():
    with pytest.raises(ValueError, match="NumPy arrays, Ragged or Repeated"):
        Feed(2).batches(["a", "b"])


def test_no_thread_that_tunes_the_pipeline_can_hold_up_the_end_of_a_training():
    assert Feed(batch_size=2).batches(np.arange(3)).options().autotune.enabled is False


def test_a_repeated_column_gives_the_rows_of_the_one_it_repeats():
    rows = np.array([2, 0, 2, 1])
    values = Ragged.from_rows([[1, 2], [], [3]], np.int32)
    batches = list(Feed(batch_size=2).batches({"words": Repeated(values, rows)}, np.arange(4)))
    assert [x["words"].numpy().tolist() for x, _ in batches] == [[[3, 0], [1, 2]], [[3], [0]]]

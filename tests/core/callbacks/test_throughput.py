from __future__ import annotations

import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from core.callbacks import ExactResume, Throughput
from core.data.feed import Feed

EPOCH = [("begin", 0.0), ("step", 2.0), ("step", 3.0), ("step", 3.5), ("end", 9.0)]


def driven(monkeypatch: pytest.MonkeyPatch, num_epochs: int, **arguments: int) -> Throughput:
    """Drive the callback by hand under a clock of our own; each epoch begins 10 seconds after the last."""
    now = [0.0]
    monkeypatch.setattr("core.callbacks.throughput.time.perf_counter", lambda: now[0])
    throughput = Throughput(**arguments)
    throughput.set_params({"steps": 3})
    throughput.on_train_begin()
    for epoch in range(num_epochs):
        batch = 0
        for event, seconds in EPOCH:
            now[0] = 10 * epoch + seconds
            if event == "begin":
                throughput.on_epoch_begin(epoch)
            elif event == "step":
                throughput.on_train_batch_end(batch)
                batch += 1
            else:
                throughput.on_epoch_end(epoch, {})
    return throughput


def test_the_first_step_is_left_out(monkeypatch):
    # The second and third step took 1.5 seconds.
    assert driven(monkeypatch, 1, batch_size=6).examples_per_second == pytest.approx(2 * 6 / 1.5)


def test_the_first_epoch_is_left_out_where_there_are_more(monkeypatch):
    # Three steps in 3.5 seconds, twice; what follows the last step is not counted.
    assert driven(monkeypatch, 3, batch_size=6).examples_per_second == pytest.approx(3 * 6 / 3.5)


def test_a_smaller_last_batch_counts_for_what_it_holds(monkeypatch):
    throughput = driven(monkeypatch, 2, batch_size=6, num_examples=14)
    assert throughput.summary() == {
        "examples_per_second": pytest.approx(14 / 3.5),
        "steps_per_second": pytest.approx(3 / 3.5),
    }


def test_nothing_measured_is_no_figure():
    throughput = Throughput(4)
    assert throughput.summary() == {}
    assert throughput.examples_per_second is throughput.data_wait_share is None


def slow_training(callbacks: list, watch: bool = True) -> dict[str, list]:
    """Fit 2 epochs of 4 steps on data that take 20 ms a batch and are not prepared ahead."""

    def wait(x: np.ndarray) -> np.ndarray:
        time.sleep(0.02)
        return x

    x = np.zeros((8, 1), np.float32)
    data = tf.data.Dataset.from_tensor_slices((x, x)).batch(2).repeat()
    data = data.map(lambda x, y: (tf.ensure_shape(tf.numpy_function(wait, [x], tf.float32), (2, 1)), y))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    if watch:
        data = callbacks[0].watch(data)
    return model.fit(data, steps_per_epoch=4, epochs=2, callbacks=callbacks, shuffle=False, verbose=0).history


def test_the_wait_holds_at_least_what_slow_data_take():
    throughput = Throughput(2)
    slow_training([throughput])
    ((_, steps, seconds, waited),) = [epoch for epoch in throughput._epochs if epoch[0]]
    assert steps == 4
    assert 4 * 0.02 <= waited <= seconds
    assert throughput.data_wait_share == waited / seconds


def test_data_that_are_not_watched_have_no_share():
    throughput = Throughput(2, log=True)
    history = slow_training([throughput], watch=False)
    assert throughput.data_wait_share is None
    assert history["examples_per_second"][-1] == pytest.approx(throughput.examples_per_second)
    assert "data_wait_share" not in history


def test_watched_data_are_the_same_batches():
    feed, x = Feed(2, training=True), np.arange(5)
    watched = Throughput(2).watch(feed.batches({"x": x}, x))
    plain = feed.batches({"x": x}, x)
    assert watched.element_spec == plain.element_spec
    assert watched.cardinality() == plain.cardinality()
    for (x_watched, y_watched), (x_plain, y_plain) in zip(watched.take(6), plain.take(6), strict=True):
        np.testing.assert_array_equal(x_watched["x"], x_plain["x"])
        np.testing.assert_array_equal(y_watched, y_plain)
    assert Throughput(2).watch(Feed(2).batches(x)).cardinality() == 3


def test_the_clock_does_not_go_into_a_checkpoint(tmp_path):
    throughput = Throughput(2)
    slow_training([throughput, ExactResume(tmp_path, [throughput], delete_checkpoint=False)])
    saved = ExactResume(tmp_path)._saved["callbacks"]
    assert [set(attributes) for _, attributes in saved] == [{"_epochs"}]

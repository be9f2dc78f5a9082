from __future__ import annotations

import keras
import numpy as np
import pytest

from core.callbacks import GradientNorms


def linear(**arguments: object) -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, **arguments)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.set_weights([np.array([[3.0], [4.0]])])
    return model


def measured(model: keras.Model, *batches: tuple, steps: int = 1) -> GradientNorms:
    norms = GradientNorms(batches, every_steps=1)
    x, y, *_ = batches[0]
    model.fit(x, y, batch_size=len(x) // steps, callbacks=[norms], verbose=0)
    return norms


X, Y = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32), np.zeros((2, 1), np.float32)


def test_the_values_are_those_worked_out_by_hand():
    # The gradient of the mean of (w . x - y)^2 is 2 / 2 * sum of (w . x) x = (3, 4).
    norms = measured(linear(), (X, Y))
    assert norms.gradient_norms == [[pytest.approx(5.0)]]
    assert norms.weight_norms == [[pytest.approx(5.0)]]


def test_sample_weight_changes_the_norm():
    assert measured(linear(), (X, Y, np.array([0.0, 1.0], np.float32))).global_norms == pytest.approx([4.0])


# 0.5 * |w|^2 adds w to the gradient, and so does the mean of (w . x)^2 over the batch of two.
@pytest.mark.parametrize(("regularized", "factor"), [("kernel", 0.5), ("activity", 1.0)])
def test_the_loss_of_a_regularizer_adds_to_the_gradient(regularized: str, factor: float):
    model = linear(**{f"{regularized}_regularizer": keras.regularizers.L2(factor)})
    assert measured(model, (X, Y)).global_norms == pytest.approx([10.0])


def test_rows_of_an_embedding_that_come_twice_add_up_to_the_value():
    tokens = keras.Input((2,), dtype="int32")
    model = keras.Model(tokens, keras.layers.Flatten()(keras.layers.Embedding(3, 1)(tokens)))
    model.compile(keras.optimizers.SGD(0.0), keras.losses.MeanSquaredError(reduction="sum"))
    model.set_weights([np.array([[0.0], [1.0], [2.0]])])
    # Row 1 is drawn thrice with a gradient of 2 / 2 * 1 each, row 2 once with 2 / 2 * 2.
    norms = measured(model, (np.array([[1, 1], [1, 2]]), np.zeros((2, 2), np.float32)))
    assert norms.global_norms == pytest.approx([np.hypot(3.0, 2.0)])


def test_batches_take_turns():
    norms = measured(linear(), (X, Y), (2 * X, Y), steps=2)
    assert norms.steps == [1, 2]
    assert norms.global_norms == pytest.approx([5.0, 20.0])


@pytest.mark.parametrize(("every", "steps"), [(1, [2, 4, 6, 8]), (3, [4, 6]), (4, [4, 8])])
def test_steps_that_are_executed_together_are_all_counted_and_keep_their_values(every, steps):
    model = linear()
    model.compile(keras.optimizers.SGD(0.0), "mse", steps_per_execution=2)
    norms = GradientNorms([(X, Y)], every_steps=every)
    x, y = np.tile(X, (2, 1)), np.tile(Y, (2, 1))
    model.fit(x, y, batch_size=1, epochs=2, callbacks=[norms], verbose=0)
    assert norms.steps == steps
    assert norms.global_norms == pytest.approx([5.0] * len(steps))


def test_a_parameter_without_gradient_has_the_norm_zero():
    inputs = keras.Input((2,))
    unused = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs) + 0.0 * unused(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    norms = measured(model, (X, Y))
    assert sorted(norms.gradient_norms[0])[0] == 0.0


def random_model() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.BatchNormalization(), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile("sgd", "mse", run_eagerly=keras.backend.backend() == "tensorflow")
    return model


def test_measuring_leaves_the_training_its_values():
    ends = []
    for callbacks in ([], [GradientNorms([(X, Y)], every_steps=1)]):
        model = random_model()
        history = model.fit(X, Y, epochs=3, batch_size=1, shuffle=False, callbacks=callbacks, verbose=0)
        ends.append((model.get_weights(), history.history))
    for weight, measured_weight in zip(ends[0][0], ends[1][0], strict=True):
        np.testing.assert_array_equal(weight, measured_weight)
    assert ends[0][1] == ends[1][1]


def with_norms(*norms: float) -> GradientNorms:
    callback = GradientNorms([(X, Y)])
    callback.steps = list(range(len(norms)))
    callback.gradient_norms = [[norm * 0.6, norm * 0.8] for norm in norms]
    return callback


def test_spikes_are_advised_to_be_clipped_at_the_90th_percentile():
    callback = with_norms(*[1.0] * 8, 2.0, 30.0)
    assert callback.percentiles()[90] == pytest.approx(4.8)  # a tenth of the way from 2 to 30
    assert "global_clipnorm=4.8" in callback.advice()


def test_even_norms_are_advised_to_be_left_alone():
    assert "not needed" in with_norms(1.0, 2.0, 3.0).advice()


def test_norms_that_are_not_finite_are_reported():
    assert "1 of 2 gradient norms were not finite" in with_norms(1.0, float("nan")).advice()


def test_nothing_measured_is_reported():
    assert with_norms().advice() == "No gradient was measured."
    assert with_norms().percentiles() == {}


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="Received: 0 batches"):
        GradientNorms([])


def test_a_backend_that_it_can_not_differentiate_on_is_refused_at_construction(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match=r"^GradientNorms works on TensorFlow and JAX\. Received: .*torch"):
        GradientNorms([(X, Y)])

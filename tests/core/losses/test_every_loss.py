"""What every loss must do: round-trip, train a model, compute in float32, keep its gradient, work in XLA."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from core import losses
from tests.core.losses.gradients import Differentiated, differentiate, value_and_gradient

# For each loss: how to make it with no argument at its default, targets, and the shape of the predictions.
CASES: dict[str, tuple[Callable[[], keras.losses.Loss], np.ndarray, tuple[int, ...]]] = {
    "FocalCrossentropy": (
        lambda: losses.FocalCrossentropy(
            gamma=1.5, label_smoothing=0.1, class_weights=[1, 2, 3], from_logits=True
        ),
        np.array([0, 2]),
        (2, 3),
    ),
    "SequenceCrossentropy": (
        lambda: losses.SequenceCrossentropy(padding_id=-100, label_smoothing=0.1, from_logits=True),
        np.array([[1, 2, -100], [0, -100, -100]]),
        (2, 3, 4),
    ),
    "AnnotatorsCrossentropy": (
        lambda: losses.AnnotatorsCrossentropy(),
        np.array([[1, 3, 3], [2, 0, 0]]),
        (2, 3),
    ),
    "CTC": (lambda: losses.CTC(blank_index=3), np.array([[4, 1, 1], [5, 2, 3]]), (2, 5, 4)),
    "InfoNCE": (
        lambda: losses.InfoNCE(temperature=0.2, symmetric=True, normalize=False, mask_same_id=True),
        np.array([1, 2]),
        (2, 2, 3),
    ),
    "NTXent": (lambda: losses.NTXent(temperature=0.2), np.array([0, 0]), (2, 2, 3)),
    "BayesianPersonalizedRanking": (
        lambda: losses.BayesianPersonalizedRanking(),
        np.array([[1, 2, 0], [2, 1, -1]]),
        (2, 3),
    ),
    "SampledSoftmax": (
        lambda: losses.SampledSoftmax(sampling_probabilities=[0.5, 0.3, 0.2]),
        np.array([[1, 2, 0], [2, 1, -1]]),
        (2, 3),
    ),
    "GeneralizedBinaryCrossentropy": (
        lambda: losses.GeneralizedBinaryCrossentropy(num_items=9, calibration=0.5),
        np.array([[1, 2, 0], [2, 1, -1]]),
        (2, 3),
    ),
    "Charbonnier": (lambda: losses.Charbonnier(epsilon=0.1), np.ones((2, 3, 3, 1)), (2, 3, 3, 1)),
    "DiceCrossentropy": (
        lambda: losses.DiceCrossentropy(
            overlap_weight=0.3, alpha=0.4, beta=0.7, gamma=1.5, ignore_class=9, smooth=0.5
        ),
        np.array([[[0, 1], [9, 2]], [[2, 2], [1, 9]]]),
        (2, 2, 2, 3),
    ),
    "GeneralizedIoU": (
        lambda: losses.GeneralizedIoU(box_format="center_xywh"),
        np.array([[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 2.0, 2.0]]),
        (2, 4),
    ),
    "TaskAlignedDetection": (
        lambda: losses.TaskAlignedDetection(
            picture_size=(16, 24),
            strides=[8],
            num_bins=4,
            top=2,
            class_power=1.0,
            box_power=4.0,
            class_weight=1.0,
            box_weight=5.0,
            distance_weight=1.0,
        ),
        np.array(
            [[[1.0, 2.0, 3.0, 14.0, 12.0], [-1.0, 0, 0, 0, 0]], [[0.0, 4, 4, 20, 16], [2.0, 1, 1, 8, 7]]]
        ),
        (2, 6, 19),
    ),
    "NonSaturatingAdversarial": (
        lambda: losses.NonSaturatingAdversarial("generator"),
        np.array([[1.0], [0.0]]),
        (2, 1),
    ),
    "HingeAdversarial": (lambda: losses.HingeAdversarial("generator"), np.array([[1.0], [0.0]]), (2, 1)),
    "WassersteinAdversarial": (
        lambda: losses.WassersteinAdversarial("generator"),
        np.array([[1.0], [0.0]]),
        (2, 1),
    ),
}


@pytest.fixture(params=list(CASES))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def case(name: str) -> tuple[keras.losses.Loss, np.ndarray, np.ndarray]:
    make, y_true, shape = CASES[name]
    return make(), y_true, np.random.default_rng(0).normal(size=shape).astype("float32")


@functools.cache
def compiled_gradient(name: str) -> Differentiated:
    make, y_true, _ = CASES[name]
    loss, targets = make(), keras.ops.convert_to_tensor(y_true)
    return differentiate(lambda y_pred: loss(targets, y_pred), compiled=True)


def test_every_exported_loss_has_a_case() -> None:
    exported = {name for name in losses.__all__ if inspect.isclass(getattr(losses, name))}
    assert exported == set(CASES)


def test_a_loss_comes_back_from_its_configuration(case: tuple) -> None:
    loss, y_true, y_pred = case
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    arguments = set(inspect.signature(type(loss).__init__).parameters) - {"self"}
    assert set(loss.get_config()) == arguments
    np.testing.assert_array_equal(again(y_true, y_pred), loss(y_true, y_pred))


def test_a_loss_trains_a_model_that_is_saved_and_loaded(case: tuple, tmp_path: Path) -> None:
    loss, y_true, y_pred = case
    keras.utils.set_random_seed(0)
    features = np.random.default_rng(1).normal(size=(len(y_pred), 6)).astype("float32")
    inputs = keras.Input((6,))
    outputs = keras.layers.Reshape(y_pred.shape[1:])(keras.layers.Dense(y_pred[0].size)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=loss)
    history = model.fit(features, y_true, epochs=2, batch_size=2, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True).loss
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_value_of_half_precision_is_computed_in_single_precision(case: tuple) -> None:
    loss, y_true, y_pred = case
    half = keras.ops.cast(y_pred, "bfloat16")
    result = loss(y_true, half)
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    np.testing.assert_array_equal(result, loss(y_true, keras.ops.cast(half, "float32")))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_loss_is_of_the_dtype_that_was_asked_for(case: tuple, dtype: str) -> None:
    loss, y_true, y_pred = case
    asked = type(loss).from_config({**loss.get_config(), "dtype": dtype})
    value = asked(y_true, y_pred)
    assert keras.backend.standardize_dtype(value.dtype) == dtype == asked.get_config()["dtype"]
    tolerance = {"rel": 1e-6} if dtype == "float64" else {"rel": 2e-2, "abs": 1e-3}
    expected = pytest.approx(float(loss(y_true, y_pred)), **tolerance)
    assert float(keras.ops.cast(value, "float32")) == expected


def test_value_does_not_depend_on_the_global_float_type(case: tuple) -> None:
    loss, y_true, y_pred = case
    before = keras.config.floatx()
    keras.config.set_floatx("bfloat16")
    try:
        again = type(loss).from_config({**loss.get_config()})
        assert again.dtype == "float32"
        np.testing.assert_array_equal(again(y_true, y_pred), loss(y_true, y_pred))
    finally:
        keras.config.set_floatx(before)


def test_value_and_gradient_are_the_same_in_xla(name: str, case: tuple) -> None:
    loss, y_true, y_pred = case
    targets = keras.ops.convert_to_tensor(y_true)
    plain = value_and_gradient(lambda x: loss(targets, x), y_pred)
    compiled = compiled_gradient(name)(y_pred)
    assert np.abs(plain[1]).max() > 0
    np.testing.assert_allclose(compiled[0], plain[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(compiled[1], plain[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e4])
def test_gradient_is_finite_at_the_edges(name: str, case: tuple, scale: float) -> None:
    value, gradient = compiled_gradient(name)(scale * case[2])
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_gradient_is_that_of_finite_differences(name: str, case: tuple) -> None:
    if name == "TaskAlignedDetection":
        pytest.skip("What it learns towards follows its predictions, and takes no gradient.")
    y_pred, differentiated, step = case[2], compiled_gradient(name), 2e-3
    direction = np.random.default_rng(2).normal(size=y_pred.shape)
    ahead, behind = differentiated(y_pred + step * direction)[0], differentiated(y_pred - step * direction)[0]
    slope = (float(ahead) - float(behind)) / (2 * step)
    assert slope == pytest.approx(np.sum(differentiated(y_pred)[1] * direction), rel=5e-3, abs=5e-4)


def test_an_example_of_weight_zero_has_no_gradient(case: tuple) -> None:
    loss, y_true, y_pred = case
    if loss.name in ("info_nce", "nt_xent"):
        pytest.skip("Every example is a negative of the others.")
    targets = keras.ops.convert_to_tensor(y_true)
    weights = np.array([1.0, 0.0], dtype="float32")
    if loss.name == "charbonnier":
        weights = weights.reshape((2, 1, 1))
    gradient = value_and_gradient(lambda x: loss(targets, x, sample_weight=weights), y_pred)[1]
    assert np.abs(gradient[0]).max() > 0
    assert np.abs(gradient[1]).max() == 0

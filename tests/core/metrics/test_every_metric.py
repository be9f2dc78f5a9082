"""What every metric must do: come back from its configuration, and follow a compiled model if it can."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

from core import metrics
from tests.core.metrics.streaming import followed, streamed

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 4, 20)
TOKENS = RANDOM.integers(0, 4, (20, 5))
RELEVANT = RANDOM.integers(0, 3, (20, 6))
SCORES = RANDOM.random((20, 6))
PICTURES = RANDOM.random((20, 13, 14, 3))
NOISY = np.clip(PICTURES + RANDOM.normal(0, 0.1, PICTURES.shape), 0, 1)

# With no argument at its default, targets, and predictions.
IN_GRAPH = {
    "F1Score": (metrics.F1Score(4, "weighted"), LABELS, RANDOM.random((20, 4))),
    "ExpectedCalibrationError": (
        metrics.ExpectedCalibrationError(7, from_logits=True),
        LABELS,
        RANDOM.normal(size=(20, 4)),
    ),
    "Perplexity": (
        metrics.Perplexity(from_logits=True, mask_token_id=0),
        TOKENS,
        RANDOM.normal(size=(20, 5, 4)),
    ),
    "BitsPerCharacter": (
        metrics.BitsPerCharacter([0, 1, 2, 3], from_logits=True, mask_token_id=1),
        TOKENS,
        RANDOM.normal(size=(20, 5, 4)),
    ),
    "HitRate": (metrics.HitRate(2), RELEVANT, SCORES),
    "RecallAtK": (metrics.RecallAtK(2), RELEVANT, SCORES),
    "MeanReciprocalRank": (metrics.MeanReciprocalRank(2), RELEVANT, SCORES),
    "NDCG": (metrics.NDCG(2, gain="linear"), RELEVANT, SCORES),
    "PSNR": (metrics.PSNR(border=1, max_value=1.0, limit=60.0), PICTURES, NOISY),
    "SSIM": (metrics.SSIM(border=1, max_value=1.0), PICTURES, NOISY),
    "TokenErrorRate": (metrics.TokenErrorRate(padding_id=0), TOKENS, RANDOM.integers(0, 4, (20, 7))),
}
OUTSIDE = {
    "WordErrorRate": metrics.WordErrorRate(metrics.plain_words),
    "CharacterErrorRate": metrics.CharacterErrorRate(metrics.plain_words),
    "EntityF1": metrics.EntityF1("iobes"),
    "MeanAveragePrecision": metrics.MeanAveragePrecision((0.5, 0.75), max_detections=10),
}
EVERY = {**{name: case[0] for name, case in IN_GRAPH.items()}, **OUTSIDE}


def again(metric: keras.metrics.Metric) -> keras.metrics.Metric:
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))


def test_no_metric_is_missing_here():
    public = {name for name in metrics.__all__ if inspect.isclass(getattr(metrics, name))}
    assert public == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_a_metric_comes_back_from_its_configuration(name):
    assert again(EVERY[name]).get_config() == EVERY[name].get_config()


@pytest.mark.parametrize("name", EVERY)
def test_no_argument_is_missing_in_a_configuration(name):
    arguments = inspect.signature(type(EVERY[name])).parameters
    assert set(EVERY[name].get_config()) == set(arguments)


@pytest.mark.parametrize("name", IN_GRAPH)
def test_a_model_compiled_by_xla_gives_the_figure_of_all_at_once(name):
    metric, y_true, y_pred = IN_GRAPH[name]
    weights = np.arange(20) % 3 > 0
    received = followed(again(metric), y_true, y_pred, 10, weights)
    few = streamed(again(metric), y_true[weights], y_pred[weights], 20)
    assert received == pytest.approx(float(few.result()), rel=1e-5)


@pytest.mark.parametrize("name", IN_GRAPH)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_a_result_has_the_dtype_that_was_asked_for(name, dtype):
    metric, y_true, y_pred = IN_GRAPH[name]
    asked = streamed(type(metric).from_config({**metric.get_config(), "dtype": dtype}), y_true, y_pred, 20)
    assert keras.backend.standardize_dtype(asked.result().dtype) == dtype == asked.get_config()["dtype"]
    usual = streamed(again(metric), y_true, y_pred, 20).result()
    assert keras.backend.standardize_dtype(usual.dtype) == "float32"
    assert float(asked.result()) == pytest.approx(float(usual), rel=1e-2 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("name", [name for name, case in IN_GRAPH.items() if case[2].dtype.kind == "f"])
@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_what_weighs_nothing_leaves_no_trace_even_if_it_is_not_a_number(name, spoilt):
    metric, y_true, y_pred = IN_GRAPH[name]
    weights = np.arange(20) % 7 > 0
    predictions = y_pred.copy()
    predictions[~weights] = spoilt
    received = streamed(again(metric), y_true, predictions, 10, weights)
    expected = streamed(again(metric), y_true[weights], y_pred[weights], 20)
    assert float(received.result()) == pytest.approx(float(expected.result()), rel=1e-6)

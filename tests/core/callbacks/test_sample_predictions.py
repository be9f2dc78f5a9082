from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from core.callbacks import SamplePredictions

X = np.array([[1.0], [2.0]], np.float32)


def trained(callbacks: list, epochs: int = 2) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.BatchNormalization(), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((1,)), *layers])
    model.compile("sgd", "mse", run_eagerly=keras.backend.backend() == "tensorflow")
    model.fit(X, X, epochs=epochs, batch_size=1, shuffle=False, callbacks=callbacks, verbose=0)
    return model


def written(folder: Path) -> list[tuple[int, str, list[bytes]]]:
    """Read back (epoch, kind, strings) of all summaries with TensorBoard's own reader."""
    summaries = []
    for file in folder.iterdir():
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                kind = value.metadata.plugin_data.plugin_name
                summaries.append((event.step, kind, list(value.tensor.string_val)))
    return summaries


def test_texts_are_written_for_each_sample_every_so_many_epochs(tmp_path):
    seen = []

    def describe(index: int, prediction: np.ndarray) -> str:
        seen.append(prediction)
        return f"says\n{index}"

    trained([SamplePredictions(tmp_path, X, describe=describe, every_epochs=2)], epochs=4)
    table = b"| sample | prediction |\n|---|---|\n| 0 | says 0 |\n| 1 | says 1 |"
    assert written(tmp_path) == [(1, "text", [table]), (3, "text", [table])]
    assert [prediction.shape for prediction in seen] == [(1,)] * 4


def test_the_last_texts_hold_what_the_model_predicts(tmp_path):
    said: dict[int, float] = {}
    model = trained(
        [SamplePredictions(tmp_path, X, describe=lambda i, p: said.update({i: float(p[0])}) or "")]
    )
    np.testing.assert_allclose(list(said.values()), model.predict(X, verbose=0)[:, 0], rtol=1e-5)


def test_pictures_are_written(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)
    trained([SamplePredictions(tmp_path, X, draw=lambda index, prediction: pictures[index])], epochs=1)
    ((epoch, kind, (width, height, *encoded)),) = written(tmp_path)
    assert (epoch, kind, width, height) == (0, "images", b"5", b"4")
    for picture, png in zip(pictures, encoded, strict=True):
        np.testing.assert_array_equal(tf.io.decode_png(png), picture)


def test_predicting_leaves_the_training_its_values(tmp_path):
    plain = trained([])
    sampled = trained([SamplePredictions(tmp_path, X, describe=lambda index, prediction: "")])
    for weight, sampled_weight in zip(plain.get_weights(), sampled.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, sampled_weight)


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(ValueError, match="describe, draw or both"):
        SamplePredictions(tmp_path, X)

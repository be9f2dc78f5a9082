"""The nets of a voice: one that predicts the frames of a word, and one that makes sound from frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from core.layers.wavenet import WaveNet

WAVES = 8  # by which a place in a word is told
FRAMES, CONDITIONS, WAVENET = "frame_net", "condition_net", "wavenet"


@keras.saving.register_keras_serializable(package="quartet")
class SpeakingModel(keras.Model):
    """From words, places in them, samples and frames to the scores of samples and predicted frames."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the nats a sample, with the mean squared error of the predicted frames.

        Args:
            x: Not needed.
            y: `levels`, int, `(batch, samples)`, and `frames`, float, `(batch, frames, features)`.
            y_pred: `levels`, logits, `(batch, samples, num_levels)`, and `frames`, as those of `y`.
            sample_weight: Of each crop.
            training: Not needed.
        """
        nats = keras.losses.sparse_categorical_crossentropy(y["levels"], y_pred["levels"], from_logits=True)
        losses = ops.mean(nats, axis=1) + ops.mean(ops.square(y["frames"] - y_pred["frames"]), axis=(1, 2))
        weights = ops.ones_like(losses) if sample_weight is None else sample_weight
        return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1.0)


@keras.saving.register_keras_serializable(package="quartet")
class PlaceWaves(layers.Layer):
    """Tells places from 0 to 1 by waves of several lengths: `(batch, frames)` to `(batch, frames, 17)`."""

    def call(self, places: Any) -> Any:
        """Return the places and their waves."""
        turns = ops.expand_dims(places, -1) * (np.pi * np.arange(1, WAVES + 1)).astype("float32")
        return ops.concatenate([ops.expand_dims(places, -1), ops.cos(turns), ops.sin(turns)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the waves."""
        return (*input_shape, 1 + 2 * WAVES)


def frame_net(num_words: int, num_features: int, width: int, dropout: float) -> keras.Model:
    """Return the net from a word and places in it to frames, each a function of its place alone.

    Args:
        num_words: Of the vocabulary.
        num_features: Of a frame.
        width: Units of its layers.
        dropout: Share of them dropped.
    """
    word, place = keras.Input((), dtype="int32", name="word"), keras.Input((None,), name="place")
    waves = PlaceWaves()(place)
    known = layers.Embedding(num_words, width)(word)
    x = layers.Dense(width)(waves) + ops.expand_dims(known, 1)
    for _ in range(2):
        x = layers.Dense(width, "relu")(layers.LayerNormalization()(x))
        x = layers.Dropout(dropout)(x)
    return keras.Model([word, place], layers.Dense(num_features, dtype="float32")(x), name=FRAMES)


def condition_net(num_features: int, width: int) -> keras.Model:
    """Return the net that lets each frame know of its neighbours."""
    frames = keras.Input((None, num_features), name="frames")
    x = layers.Conv1D(width, 3, padding="same", activation="relu")(frames)
    return keras.Model(frames, layers.Conv1D(width, 3, padding="same")(x), name=CONDITIONS)


def speaking_model(
    num_words: int,
    num_features: int,
    num_spectral: int,
    *,
    num_levels: int,
    hop: int,
    width: int,
    dilations: Sequence[int],
    dropout: float,
    longest_lag: int,
) -> SpeakingModel:
    """Return the model that learns both nets at once.

    Args:
        num_words: Of the vocabulary.
        num_features: Of a frame.
        num_spectral: Those at its beginning that predicted ones may take the place of.
        num_levels: Of a sample.
        hop: Samples of a frame.
        width: Channels of the net over samples.
        dilations: Of its blocks.
        dropout: Of the net that predicts frames.
        longest_lag: Samples of the longest period of the pitch that is looked back at; 0 for none.
    """
    word, place = keras.Input((), dtype="int32", name="word"), keras.Input((None,), name="place")
    frames = keras.Input((None, num_features), name="frames")
    lags = keras.Input((None,), dtype="int32", name="lags")
    predicts = keras.Input((), name="predicts")
    before = keras.Input((None,), name="before")
    predicted = frame_net(num_words, num_features, 4 * width, dropout)([word, place])
    # Sound is learnt in part from frames as they will be predicted, which are smoother than true ones.
    share = ops.reshape(predicts, (-1, 1, 1)) * (np.arange(num_features) < num_spectral).astype("float32")
    mixed = frames + share * (ops.stop_gradient(predicted) - frames)
    conditions = condition_net(num_features, 2 * width)(mixed)
    net = WaveNet(num_levels, hop, width, 2 * width, dilations, longest_lag, name=WAVENET)
    heard = (before, conditions, lags) if longest_lag else (before, conditions)
    inputs = {
        "word": word,
        "place": place,
        "frames": frames,
        "lags": lags,
        "predicts": predicts,
        "before": before,
    }
    return SpeakingModel(inputs, {"levels": net(heard), "frames": predicted}, name="voice")

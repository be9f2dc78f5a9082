"""Nets from a log-mel spectrogram of any length to scores of units, a row for every few frames."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from apps.speech.transcription.frames import halved
from core.layers import FrameMask, FusedBatchNormalization, FusedGRU

MOMENTUM = 0.9  # small data train for few steps
LOGITS = "logits"  # the layer's name


def thinned(spectrogram: Any, num_frames: Any, width: int, stages: int) -> tuple[Any, Any]:
    """Return fewer frames, by convolutions over time and frequency, and how many they are.

    Args:
        spectrogram: Shape `(batch_size, num_frames, num_mels)`, zero beyond the end of each recording.
        num_frames: Of each recording, shape `(batch_size,)`.
        width: Channels of the convolutions.
        stages: Convolutions, each of which halves the number of frames and of bands.

    Returns:
        Frames of shape `(batch_size, ceil(num_frames / 2**stages), num_features)`; and their numbers.
    """
    x = ops.expand_dims(spectrogram, -1)
    for _ in range(stages):
        # What Keras calls "same" begins in another place where the padded number of frames is odd.
        x = layers.ZeroPadding2D(1)(x)
        x = layers.Conv2D(width, 3, strides=2, padding="valid", use_bias=False)(x)
        x = layers.ReLU()(FusedBatchNormalization(momentum=MOMENTUM)(x))
        num_frames = halved(num_frames)
        x = FrameMask()([x, num_frames])
    return layers.Reshape((-1, x.shape[2] * x.shape[3]))(x), num_frames


def recurrent(x: Any, num_frames: Any, width: int, depth: int, dropout: float) -> Any:
    """Return frames that know of those before and after them, by GRUs in both directions.

    Args:
        x: Shape `(batch_size, num_frames, num_features)`.
        num_frames: Of each recording, shape `(batch_size,)`.
        width: Units in each direction.
        depth: Layers.
        dropout: Share of units dropped before each layer.

    Returns:
        Shape `(batch_size, num_frames, 2 * width)`.
    """
    x = FrameMask(with_mask=True)([x, num_frames])
    for _ in range(depth):
        x = layers.Dropout(dropout)(x)
        x = layers.Bidirectional(FusedGRU(width, return_sequences=True))(x)
    return x


def convolutional(x: Any, num_frames: Any, width: int, depth: int, dropout: float) -> Any:
    """Return frames that know of those around them, by residual convolutions over time.

    Args:
        x: Shape `(batch_size, num_frames, num_features)`.
        num_frames: Of each recording, shape `(batch_size,)`.
        width: Half the channels.
        depth: Convolutions, each of which looks three frames back and ahead.
        dropout: Share of channels dropped in each.

    Returns:
        Shape `(batch_size, num_frames, 2 * width)`.
    """
    x = layers.Dense(2 * width)(x)
    for _ in range(depth):
        seen = FrameMask()([layers.LayerNormalization()(x), num_frames])
        seen = layers.Conv1D(2 * width, 7, padding="same", activation="relu")(seen)
        x = x + layers.Dense(2 * width)(layers.Dropout(dropout)(seen))
    return layers.LayerNormalization()(x)


NETS = {"recurrent": recurrent, "convolutional": convolutional}


def recogniser(
    listen: Any,
    *,
    net: str,
    num_units: int,
    stages: int,
    width: int,
    depth: int,
    dropout: float,
) -> keras.Model:
    """Return the model from waves and their lengths to the logits of units, the last of which is the blank.

    Args:
        listen: From symbolic waves and lengths to a spectrogram and how many frames it has.
        net: One of `NETS`.
        num_units: Beside the blank.
        stages: Convolutions that each leave every second frame.
        width: Units of each direction; a quarter of it is the channels of the first convolutions.
        depth: Layers.
        dropout: Share of units dropped.
    """
    wave = keras.Input((None,), name="wave")
    num_samples = keras.Input((), dtype="int32", name="num_samples")
    spectrogram, num_frames = listen(wave, num_samples)
    x, num_frames = thinned(spectrogram, num_frames, max(width // 4, 4), stages)
    x = NETS[net](x, num_frames, width, depth, dropout)
    x = layers.Dropout(dropout)(x)
    logits = layers.Dense(num_units + 1, dtype="float32", name=LOGITS)(x)
    return keras.Model({"wave": wave, "num_samples": num_samples}, logits, name="recogniser")

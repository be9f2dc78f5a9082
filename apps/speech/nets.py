"""Nets from a log-mel spectrogram to one vector for the whole recording."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from core.layers import FusedBatchNormalization, FusedGRU

# Small data train for few steps: their running statistics must catch up sooner than Keras' 0.99 lets them.
MOMENTUM = 0.9


def convolutional(spectrogram: Any, width: int, dropout: float) -> Any:
    """Return the embedding by convolutions over time and frequency.

    Small squares of the spectrogram first, so that a pattern is known at any pitch; then whole columns.

    Args:
        spectrogram: Shape `(batch_size, num_frames, num_mels)`.
        width: Channels of the first stage; they double at each of three.
        dropout: Share of channels dropped before the columns are read.

    Returns:
        Shape `(batch_size, 8 * width)`.
    """
    x = layers.Reshape((*spectrogram.shape[1:], 1))(spectrogram)
    x = _convolution(x, width, 5, strides=2)
    x = _convolution(x, width, 3)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _convolution(x, 2 * width, 3)
    x = _convolution(x, 2 * width, 3)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _convolution(x, 4 * width, 3)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.SpatialDropout1D(dropout)(x)
    x = layers.Conv1D(4 * width, 3, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))
    return _over_time(x)


def recurrent(spectrogram: Any, width: int, dropout: float) -> Any:
    """Return the embedding by two convolutions, which thin out, and a GRU in both directions.

    Args:
        spectrogram: Shape `(batch_size, num_frames, num_mels)`.
        width: Channels of the first convolution; half the units of the GRU in each direction.
        dropout: Share of channels dropped on the way into the GRU.

    Returns:
        Shape `(batch_size, 8 * width)`.
    """
    x = layers.Reshape((*spectrogram.shape[1:], 1))(spectrogram)
    x = _convolution(x, width, 5, strides=2)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _convolution(x, 2 * width, 3)
    x = layers.MaxPooling2D((1, 2), padding="same")(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.SpatialDropout1D(dropout)(x)
    x = layers.Bidirectional(FusedGRU(2 * width, return_sequences=True))(x)
    return _over_time(x)


def attentive(spectrogram: Any, width: int, dropout: float) -> Any:
    """Return the embedding by convolutions and a GRU, whose frames are weighed by what is in them.

    Source: Mirsamadi et al., Automatic Speech Emotion Recognition Using Recurrent Neural Networks with Local
    Attention (2017), section 3.3; the deviation over time stands beside the mean, as in Okabe et al.,
    Attentive Statistics Pooling (2018).

    Args:
        spectrogram: Shape `(batch_size, num_frames, num_mels)`.
        width: Channels of the first convolution; twice as many units of the GRU in each direction.
        dropout: Share of channels dropped on the way into the GRU.

    Returns:
        Shape `(batch_size, 8 * width)`.
    """
    x = layers.Reshape((*spectrogram.shape[1:], 1))(spectrogram)
    x = _convolution(x, width, 5, strides=2)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _convolution(x, 2 * width, 3)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = _convolution(x, 2 * width, 3)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.SpatialDropout1D(dropout)(x)
    x = layers.Bidirectional(FusedGRU(2 * width, return_sequences=True))(x)
    weights = layers.Softmax(axis=1)(layers.Dense(1)(layers.Dense(2 * width, "tanh")(x)))
    mean = ops.sum(weights * x, axis=1)
    variance = ops.sum(weights * ops.square(x), axis=1) - ops.square(mean)
    return layers.Concatenate()([mean, ops.sqrt(ops.maximum(variance, 0) + 1e-3)])


NETS = {"convolutional": convolutional, "recurrent": recurrent, "attentive": attentive}


def _convolution(x: Any, filters: int, size: int, strides: int = 1) -> Any:
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(FusedBatchNormalization(momentum=MOMENTUM)(x))


def _over_time(x: Any) -> Any:
    return layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])

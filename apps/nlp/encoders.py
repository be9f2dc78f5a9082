"""Nets that read a text as ids, `(batch_size, length)` with 0 as padding, and return one vector for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from core.data.text import UNKNOWN
from core.layers import TokenDropout


def _padding_mask(ids: Any) -> Any:
    return ops.cast(ops.not_equal(ids, 0), "float32")[..., None]


def _embedded(ids: Any, vocabulary_size: int, width: int, dropout: float) -> tuple[Any, Any]:
    mask = _padding_mask(ids)
    start = keras.initializers.RandomUniform(-0.05, 0.05)
    embedded = keras.layers.Embedding(vocabulary_size, width, embeddings_initializer=start)(ids)
    return keras.layers.SpatialDropout1D(dropout)(embedded) * mask, mask


def bag(ids: Any, vocabulary_size: int, width: int, dropout: float) -> Any:
    """Return the sum of the embeddings by the root of their number.

    Source: Joulin et al., Bag of Tricks for Efficient Text Classification (2016), with whole pieces dropped
        while
    training in place of dropped units.
    """
    ids = TokenDropout(dropout)(ids)
    mask = _padding_mask(ids)
    embedded = keras.layers.Embedding(vocabulary_size, width, embeddings_initializer="zeros")(ids)
    return ops.sum(embedded * mask, axis=1) / ops.sqrt(1.0 + ops.sum(mask, axis=1))


def convolutional(ids: Any, vocabulary_size: int, width: int, dropout: float) -> Any:
    """Return the largest answers of filters over 1 to 4 words.

    Source: Kim, Convolutional Neural Networks for Sentence Classification (2014).
    """
    embedded, mask = _embedded(TokenDropout(dropout / 4, UNKNOWN)(ids), vocabulary_size, width, dropout / 2)
    heard = []
    for words in (1, 2, 3, 4):
        answers = keras.layers.Conv1D(width, words, padding="same", activation="relu")(embedded)
        heard.append(keras.layers.GlobalMaxPooling1D()(answers * mask))
    return keras.layers.Dropout(dropout)(keras.layers.Concatenate()(heard))


def recurrent(ids: Any, vocabulary_size: int, width: int, dropout: float) -> Any:
    """Return the largest states of a gated recurrent net that reads both ways.

    Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014).
    """
    embedded, mask = _embedded(TokenDropout(dropout / 4, UNKNOWN)(ids), vocabulary_size, width, dropout / 2)
    read = keras.layers.Bidirectional(keras.layers.GRU(width, return_sequences=True))
    states = read(embedded, mask=ops.squeeze(mask, -1) > 0)
    highest = ops.max(states - 1e9 * (1.0 - mask), axis=1)
    return keras.layers.Dropout(dropout)(highest)


def transformer(ids: Any, vocabulary_size: int, width: int, dropout: float) -> Any:
    """Return the mean over positions of two Transformer layers with four heads.

    Source: Vaswani et al., Attention Is All You Need (2017), normalised before each part.
    """
    import keras_hub

    ids = TokenDropout(dropout / 4, UNKNOWN)(ids)
    mask = _padding_mask(ids)
    embed = keras.layers.Embedding(vocabulary_size, width, embeddings_initializer="uniform")
    embedded = embed(ids)
    x = embedded + keras_hub.layers.SinePositionEncoding()(embedded)
    x = keras.layers.Dropout(dropout)(x)
    for _ in range(2):
        layer = keras_hub.layers.TransformerEncoder(4 * width, 4, dropout=dropout, normalize_first=True)
        x = layer(x, padding_mask=ops.squeeze(mask, -1))
    x = keras.layers.LayerNormalization()(x)
    pooled = ops.sum(x * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)
    return keras.layers.Dropout(dropout)(pooled)


ENCODERS: dict[str, Callable[[Any, int, int, float], Any]] = {
    "bag": bag,
    "convolutional": convolutional,
    "recurrent": recurrent,
    "transformer": transformer,
}

"""Nets that read a text as ids, `(batch_size, length)` with 0 as padding.

`bag` returns one vector for a text; all others return a state for each position, shape `(batch_size, length,
width)`, which `apps.nlp.pooling` makes one vector of, and which labels of words are told from.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from core.data.text import UNKNOWN
from core.layers import FusedGRU, TokenDropout

# Naive Bayes counts pieces that overlap as evidence of their own, so its weights are too sure.
BAYES_SHARE = 0.3


def padding_mask(ids: Any) -> Any:
    """Return 1 where there is a piece of text and 0 where there is none, `(batch_size, length, 1)`."""
    return ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)


def _embedded(ids: Any, vocabulary_size: int, width: int, dropout: float) -> tuple[Any, Any]:
    mask = padding_mask(ids)
    start = keras.initializers.RandomUniform(-0.05, 0.05)
    embedded = keras.layers.Embedding(vocabulary_size, width, embeddings_initializer=start)(ids)
    return keras.layers.SpatialDropout1D(dropout)(embedded) * mask, mask


def naive_bayes(counts: np.ndarray) -> np.ndarray:
    """Return how much more likely each id is in a class than in the others, as logarithms about 0.

    Source: Wang and Manning, Baselines and Bigrams: Simple, Good Sentiment and Topic Classification (2012),
    section 2.1, for any number of classes.

    Args:
        counts: How many training texts of each class hold each id, shape `(num_classes, num_ids)`.

    Returns:
        float32, shape `(num_ids, num_classes)`; rows sum to 0.

    Example:

    >>> naive_bayes(np.array([[1, 3], [3, 1]])).round(2)
    array([[-0.35,  0.35],
           [ 0.35, -0.35]], dtype=float32)
    """
    smoothed = counts + 1.0
    likelihood = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
    return (likelihood - likelihood.mean(axis=0)).T.astype(np.float32)


def bag(ids: Any, counts: np.ndarray, dropout: float) -> Any:
    """Return what the pieces of a text say for each class: their sum by the root of their number.

    Each piece starts with its naive Bayes weight and learns from there. Unknown pieces say nothing.

    Args:
        ids: As for every net.
        counts: How many training texts of each class hold each id, shape `(num_classes, num_ids)`.
        dropout: Share of the pieces that are left out while training.
    """
    ids = TokenDropout(dropout)(ids)
    known = ops.expand_dims(ops.cast(ops.greater(ids, UNKNOWN), "float32"), -1)
    say = keras.layers.Embedding(counts.shape[1], counts.shape[0], name="pieces")
    said = say(ids) * known
    say.embeddings.assign(BAYES_SHARE * naive_bayes(counts))
    return ops.sum(said, axis=1) / ops.sqrt(1.0 + ops.sum(known, axis=1))


def convolutional(ids: Any, vocabulary_size: int, width: int, dropout: float) -> Any:
    """Return the answers of filters over 1 to 4 words around each.

    On a CPU, TensorFlow adds up the gradients of its filters in no fixed order: two trainings, and so one
    that was resumed and one that was not, end within rounding of each other and not to the last bit.

    Source: Kim, Convolutional Neural Networks for Sentence Classification (2014).
    """
    embedded, mask = _embedded(TokenDropout(dropout / 4, UNKNOWN)(ids), vocabulary_size, width, dropout / 2)
    filters = (keras.layers.Conv1D(width, words, padding="same", activation="relu") for words in (1, 2, 3, 4))
    return keras.layers.Concatenate()([each(embedded) * mask for each in filters])


def recurrent(ids: Any, vocabulary_size: int, width: int, dropout: float) -> Any:
    """Return the states of a gated recurrent net that reads both ways.

    Source: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014).
    """
    embedded, mask = _embedded(TokenDropout(dropout / 4, UNKNOWN)(ids), vocabulary_size, width, dropout / 2)
    read = keras.layers.Bidirectional(FusedGRU(width, return_sequences=True))
    return read(embedded, mask=ops.squeeze(mask, -1) > 0)


def _sinusoids(ids: Any, width: int) -> Any:
    """Return the encoding of positions of section 3.5 of Vaswani et al.; exports can't convert KerasHub's."""
    dimensions = np.arange(width)
    rate = 10_000.0 ** (-2.0 * (dimensions // 2) / width)
    cosine = dimensions % 2 * np.pi / 2
    position = ops.cast(ops.cumsum(ops.ones_like(ids), axis=1) - 1, "float32")
    return ops.sin(ops.expand_dims(position, -1) * rate.astype("float32") + cosine.astype("float32"))


def transformer(ids: Any, vocabulary_size: int, width: int, dropout: float) -> Any:
    """Return the states of two Transformer layers with four heads.

    Source: Vaswani et al., Attention Is All You Need (2017), normalised before each part.
    """
    import keras_hub

    ids = TokenDropout(dropout / 4, UNKNOWN)(ids)
    mask = padding_mask(ids)
    embed = keras.layers.Embedding(vocabulary_size, width, embeddings_initializer="uniform")
    embedded = embed(ids)
    x = keras.layers.Dropout(dropout)(embedded + ops.cast(_sinusoids(ids, width), embedded.dtype))
    for _ in range(2):
        layer = keras_hub.layers.TransformerEncoder(4 * width, 4, dropout=dropout, normalize_first=True)
        x = layer(x, padding_mask=ops.squeeze(mask, -1))
    return keras.layers.LayerNormalization()(x)

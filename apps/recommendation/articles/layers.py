"""Layers that read titles, and a person from the titles that they have clicked."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

MASKED = -1e9


@keras.saving.register_keras_serializable(package="quartet")
class AdditivePooling(layers.Layer):
    """Weighted mean of vectors, whose weights a small net gives them.

    Args:
        units: Of the hidden layer of that net.

    Call arguments:
        inputs: Shape `(batch, length, width)`.
        mask: False at padding, bool, shape `(batch, length)`; a row of padding alone gives zeros.

    Source: Wu et al., Neural News Recommendation with Multi-Head Self-Attention (2019), section 2.1.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden = layers.Dense(units, activation="tanh", name="hidden")
        self.score = layers.Dense(1, use_bias=False, name="score")

    def build(self, input_shape: Any) -> None:
        """Create the weights of the small net."""
        self.hidden.build(input_shape)
        self.score.build((*input_shape[:-1], self.units))
        self.built = True

    def call(self, inputs: Any, mask: Any) -> Any:
        """Return a vector a row, shape `(batch, width)`."""
        scores = ops.where(mask, self.score(self.hidden(inputs))[..., 0], MASKED)
        weights = ops.softmax(scores, axis=-1) * ops.cast(mask, inputs.dtype)
        return ops.sum(weights[..., None] * inputs, axis=-2)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "units": self.units}


class _AttentiveReader(layers.Layer):
    """Self-attention with what it reads added, and pooling."""

    def __init__(self, width: int, heads: int, dropout: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width, self.heads, self.dropout = width, heads, dropout
        self.attention = layers.MultiHeadAttention(heads, max(width // heads, 1), name="attention")
        self.drop = layers.Dropout(dropout, name="drop")
        self.pooling = AdditivePooling(width, name="pooling")

    def _build_parts(self) -> None:
        shape = (None, None, self.width)
        self.attention.build(shape, shape)
        self.pooling.build(shape)

    def _read(self, vectors: Any, mask: Any, training: bool | None) -> Any:
        heard = self.attention(vectors, vectors, attention_mask=mask[:, None, :], training=training)
        return self.pooling(self.drop(vectors + heard, training=training), mask)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        own = {"width": self.width, "heads": self.heads, "dropout": self.dropout}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="quartet")
class TitleReader(_AttentiveReader):
    """Vectors of titles: word embeddings, self-attention, additive attention.

    Args:
        num_words: Numbers of words, padding (0) among them.
        width: Units of a vector.
        heads: Of the self-attention.
        dropout: Share of units dropped while training.

    Call arguments:
        inputs: Numbers of words, int, shape `(batch, num_titles, length)`.

    Source: Wu et al., Neural News Recommendation with Multi-Head Self-Attention (2019), section 2.1.
    """

    def __init__(self, num_words: int, width: int, heads: int, dropout: float, **kwargs: Any) -> None:
        super().__init__(width, heads, dropout, **kwargs)
        self.num_words = num_words
        self.embedding = layers.Embedding(num_words, width, name="embedding")

    def build(self, input_shape: Any) -> None:
        """Create the vectors of the words, and the weights of what reads them."""
        self.embedding.build(input_shape)
        self._build_parts()
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return a vector a title, shape `(batch, num_titles, width)`."""
        shape = ops.shape(inputs)
        words = ops.reshape(inputs, (-1, shape[-1]))
        vectors = self.drop(self.embedding(words), training=training)
        read = self._read(vectors, ops.not_equal(words, 0), training)
        return ops.reshape(read, (-1, shape[1], self.width))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "num_words": self.num_words}


@keras.saving.register_keras_serializable(package="quartet")
class PersonReader(_AttentiveReader):
    """The vector of a person, from those of the titles that they clicked, added to one of anybody.

    Without the latter, who has clicked nothing would like all titles alike.

    Args:
        width: Units of a vector.
        heads: Of the self-attention.
        dropout: Share of units dropped while training.

    Call arguments:
        inputs: Vectors of titles, shape `(batch, num_titles, width)`.
        mask: False at padding, bool, shape `(batch, num_titles)`.

    Source: Wu et al., Neural News Recommendation with Multi-Head Self-Attention (2019), section 2.2.
    """

    def build(self, input_shape: Any) -> None:
        """Create the vector of anybody, and the weights of what reads titles."""
        self._build_parts()
        self.anybody = self.add_weight(shape=(self.width,), initializer="zeros", name="anybody")
        self.built = True

    def call(self, inputs: Any, mask: Any, training: bool | None = None) -> Any:
        """Return a vector a person, shape `(batch, width)`."""
        return self._read(inputs, mask, training) + self.anybody


def news_net(num_words: int, width: int, heads: int, dropout: float) -> keras.Model:
    """Return the net from the words of clicked titles and of candidates to the scores of the candidates."""
    history = keras.Input((None, None), dtype="int32", name="history")
    candidates = keras.Input((None, None), dtype="int32", name="candidates")
    titles = TitleReader(num_words, width, heads, dropout, name="titles")
    known = ops.any(ops.not_equal(history, 0), axis=-1)
    person = PersonReader(width, heads, dropout, name="person")(titles(history), known)
    scores = layers.Dot((2, 1), name="scores")([titles(candidates), person])
    return keras.Model({"history": history, "candidates": candidates}, scores)

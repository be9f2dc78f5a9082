"""Attention over a text, and over what it is written from, whose keys and values can be kept for later."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

ROTARY_BASE = 10_000.0
KeysValues = tuple[Any, Any]
"""Keys and values, each of shape `(batch_size, length, num_key_value_heads, head_dim)`."""


def rotated(heads: Any, positions: Any) -> Any:
    """Return vectors turned by angles that grow with their position, so products tell how far apart two are.

    Args:
        heads: Shape `(batch_size, length, num_heads, head_dim)`, whose last axis is even.
        positions: From 0, shape `(batch_size, length)`, or `(1, length)` where they are those of all.

    Reference:
        Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding (2021), equation 34

    Example:

    >>> heads = ops.ones((1, 3, 1, 2))
    >>> ops.convert_to_numpy(rotated(heads, ops.array([[0, 1, 2]])))[0, 1, 0].round(2)
    array([-0.3 ,  1.38], dtype=float32)
    """
    half = heads.shape[-1] // 2
    rates = ROTARY_BASE ** (-ops.arange(half, dtype="float32") / half)
    angles = ops.cast(positions, "float32")[..., None, None] * rates
    cosines, sines = (ops.cast(each, heads.dtype) for each in (ops.cos(angles), ops.sin(angles)))
    first, second = heads[..., :half], heads[..., half:]
    return ops.concatenate([first * cosines - second * sines, second * cosines + first * sines], axis=-1)


class _Attention(keras.layers.Layer):
    """What attention to oneself and to something else share: heads, projections, products."""

    def __init__(
        self, num_heads: int, num_key_value_heads: int | None = None, use_bias: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.num_key_value_heads = num_key_value_heads or num_heads
        self.use_bias = use_bias
        if num_heads < 1 or num_heads % self.num_key_value_heads:
            raise ValueError(
                "num_heads must be a multiple of num_key_value_heads. "
                f"Received: num_heads={num_heads}, num_key_value_heads={num_key_value_heads}."
            )

    def _build(self, width: int, memory_width: int) -> None:
        if width % self.num_heads or width // self.num_heads % 2:
            raise ValueError(
                "The width of the inputs must be an even multiple of num_heads. "
                f"Received: width={width}, num_heads={self.num_heads}."
            )
        self.head_dim = width // self.num_heads
        shared = {"use_bias": self.use_bias, "dtype": self.dtype_policy}
        keys_width = 2 * self.num_key_value_heads * self.head_dim
        self.query_dense = keras.layers.Dense(width, name="query", **shared)
        self.keys_values_dense = keras.layers.Dense(keys_width, name="keys_values", **shared)
        self.output_dense = keras.layers.Dense(width, name="output", **shared)
        self.query_dense.build((None, None, width))
        self.keys_values_dense.build((None, None, memory_width))
        self.output_dense.build((None, None, width))

    def _queries(self, inputs: Any) -> Any:
        return _in_heads(self.query_dense(inputs), self.num_heads)

    def _keys_values(self, memory: Any) -> KeysValues:
        both = _in_heads(self.keys_values_dense(memory), 2 * self.num_key_value_heads)
        return both[:, :, : self.num_key_value_heads], both[:, :, self.num_key_value_heads :]

    def _attended(self, queries: Any, keys: Any, values: Any, mask: Any, is_causal: bool = False) -> Any:
        groups = self.num_heads // self.num_key_value_heads
        if groups > 1:
            keys, values = ops.repeat(keys, groups, axis=2), ops.repeat(values, groups, axis=2)
        attended = ops.dot_product_attention(queries, keys, values, mask=mask, is_causal=is_causal)
        length = ops.shape(attended)[1]
        return self.output_dense(ops.reshape(attended, (-1, length, self.num_heads * self.head_dim)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        names = ("num_heads", "num_key_value_heads", "use_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="quartet")
class SelfAttention(_Attention):
    """Attention of the tokens of a text to each other, or to those before them alone.

    `call` reads a whole text. A text that grows is begun by `begin`, which keeps keys and values, and each
    token after it costs one `step`.

    Args:
        num_heads: Of the queries.
        num_key_value_heads: Fewer than `num_heads` share keys and values among groups of them, which makes
            what is kept smaller; by default as many.
        causal: Whether a token sees none after it.
        rotary: Whether positions turn queries and keys; else the tokens have no order.
        use_bias: Whether the projections have one.
        **kwargs: Of every Keras layer.

    Call arguments:
        inputs: Shape `(batch_size, length, width)`.
        padding_mask: Bool, `(batch_size, length)`: the tokens that are none but padding are false. A causal
            text that is padded at its end needs none.

    Output shape:
        That of the inputs.

    Reference:
        Vaswani et al., Attention Is All You Need (2017), section 3.2; groups: Ainslie et al., GQA (2023)

    Example:

    >>> layer = SelfAttention(num_heads=4, num_key_value_heads=2)
    >>> layer(ops.ones((2, 5, 16))).shape
    TensorShape([2, 5, 16])
    """

    def __init__(
        self,
        num_heads: int,
        num_key_value_heads: int | None = None,
        causal: bool = True,
        rotary: bool = True,
        use_bias: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_heads, num_key_value_heads, use_bias, **kwargs)
        self.causal = causal
        self.rotary = rotary

    def build(self, input_shape: Any) -> None:
        """Make the projections."""
        self._build(input_shape[-1], input_shape[-1])

    def call(self, inputs: Any, padding_mask: Any = None) -> Any:
        """Return the texts, each token with what it has seen of the others."""
        return self.begin(inputs, padding_mask)[0]

    def begin(self, inputs: Any, padding_mask: Any = None) -> tuple[Any, KeysValues]:
        """Return what `call` does, and the keys and values of the texts."""
        queries, (keys, values) = self._queries(inputs), self._keys_values(inputs)
        if self.rotary:
            positions = ops.arange(ops.shape(inputs)[1])[None]
            queries, keys = rotated(queries, positions), rotated(keys, positions)
        mask = None if padding_mask is None else ops.cast(padding_mask, "bool")[:, None, None, :]
        return self._attended(queries, keys, values, mask, self.causal), (keys, values)

    def step(self, inputs: Any, cache: KeysValues, places: Any) -> tuple[Any, KeysValues]:
        """Return one more token of each text, with what it has seen of those before it.

        Args:
            inputs: Shape `(batch_size, 1, width)`.
            cache: Keys and values of fixed length, of which those before `places` count.
            places: Where each text's token stands, from 0, int, shape `(batch_size,)`.

        Returns:
            The tokens, and the cache with their keys and values.
        """
        queries, (key, value) = self._queries(inputs), self._keys_values(inputs)
        if self.rotary:
            queries, key = rotated(queries, places[:, None]), rotated(key, places[:, None])
        positions = ops.arange(ops.shape(cache[0])[1])[None]
        here = ops.equal(positions, places[:, None])[:, :, None, None]
        keys, values = (
            ops.where(here, ops.cast(new, kept.dtype), kept)
            for new, kept in zip((key, value), cache, strict=True)
        )
        mask = ops.less_equal(positions, places[:, None])[:, None, None, :]
        return self._attended(queries, keys, values, mask), (keys, values)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "causal": self.causal, "rotary": self.rotary}


@keras.saving.register_keras_serializable(package="quartet")
class CrossAttention(_Attention):
    """Attention of a text to what it is written from, such as a sentence to be translated.

    Args:
        num_heads: Of the queries.
        num_key_value_heads: Fewer share keys and values among groups of heads; by default as many.
        use_bias: Whether the projections have one.
        **kwargs: Of every Keras layer.

    Call arguments:
        inputs: Shape `(batch_size, length, width)`.
        memory: What it is written from, shape `(batch_size, memory_length, memory_width)`.
        memory_mask: Bool, `(batch_size, memory_length)`: padding is false.

    Output shape:
        That of the inputs.

    Reference:
        Vaswani et al., Attention Is All You Need (2017), section 3.2.3

    Example:

    >>> CrossAttention(num_heads=2)(ops.ones((2, 3, 8)), ops.ones((2, 7, 8))).shape
    TensorShape([2, 3, 8])
    """

    def build(self, inputs_shape: Any, memory_shape: Any = None) -> None:
        """Make the projections."""
        self._build(inputs_shape[-1], (memory_shape or inputs_shape)[-1])

    def call(self, inputs: Any, memory: Any, memory_mask: Any = None) -> Any:
        """Return the text, each token with what it has seen of the memory."""
        return self.attend(inputs, self.keys_values(memory), memory_mask)

    def keys_values(self, memory: Any) -> KeysValues:
        """Return the keys and values of a memory, which stay the same for each step of the text."""
        return self._keys_values(memory)

    def attend(self, inputs: Any, keys_values: KeysValues, memory_mask: Any = None) -> Any:
        """Return what `call` does, from the keys and values of the memory."""
        mask = None if memory_mask is None else ops.cast(memory_mask, "bool")[:, None, None, :]
        return self._attended(self._queries(inputs), *keys_values, mask)

    def weights_of(self, inputs: Any, memory: Any, memory_mask: Any = None) -> Any:
        """Return how much each token looks at each place of the memory, the mean of all heads.

        Returns:
            Float32, shape `(batch_size, length, memory_length)`; the places that count sum to 1.
        """
        keys, _ = self._keys_values(memory)
        keys = ops.repeat(keys, self.num_heads // self.num_key_value_heads, axis=2)
        scores = ops.einsum("btnh,bsnh->bnts", self._queries(inputs), keys)
        scores = ops.cast(scores, "float32") / self.head_dim**0.5
        if memory_mask is not None:
            scores = ops.where(ops.cast(memory_mask, "bool")[:, None, None, :], scores, -1e9)
        return ops.mean(ops.softmax(scores), axis=1)


def _in_heads(states: Any, num_heads: int) -> Any:
    length, width = ops.shape(states)[1], states.shape[-1]
    return ops.reshape(states, (-1, length, num_heads, width // num_heads))

"""Blocks of Transformers: attention, a net for each token, and norms before both."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from core.layers.attention import CrossAttention, KeysValues, SelfAttention

Activation = Literal["swiglu", "gelu"]
Normalization = Literal["rms", "layer"]


@keras.saving.register_keras_serializable(package="quartet")
class FeedForward(keras.layers.Layer):
    """Two products with a bend between them, for each token by itself.

    Args:
        hidden_dim: Units between the two.
        activation: `swiglu`, where one half of the first product gates the other, or `gelu`.
        **kwargs: Of every Keras layer.

    Input shape:
        `(batch_size, length, width)`.

    Output shape:
        The same.

    Reference:
        Shazeer, GLU Variants Improve Transformer (2020), equation 6

    Example:

    >>> FeedForward(32)(ops.ones((2, 3, 8))).shape
    TensorShape([2, 3, 8])
    """

    def __init__(self, hidden_dim: int, activation: Activation = "swiglu", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if activation not in ("swiglu", "gelu"):
            raise ValueError(f"activation must be swiglu or gelu. Received: activation={activation!r}.")
        self.hidden_dim = hidden_dim
        self.activation = activation

    def build(self, input_shape: Any) -> None:
        """Make the two products."""
        gated, width = self.activation == "swiglu", input_shape[-1]
        shared = {"use_bias": not gated, "dtype": self.dtype_policy}
        inner = 2 * self.hidden_dim if gated else self.hidden_dim
        self.inner_dense = keras.layers.Dense(inner, name="inner", **shared)
        self.output_dense = keras.layers.Dense(width, name="output", **shared)
        self.inner_dense.build((None, None, width))
        self.output_dense.build((None, None, self.hidden_dim))

    def call(self, inputs: Any) -> Any:
        """Return what the net makes of each token."""
        inner = self.inner_dense(inputs)
        if self.activation == "gelu":
            return self.output_dense(ops.gelu(inner, approximate=True))
        gate, value = inner[..., : self.hidden_dim], inner[..., self.hidden_dim :]
        return self.output_dense(ops.silu(gate) * value)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        config = {"hidden_dim": self.hidden_dim, "activation": self.activation}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="quartet")
class TransformerBlock(keras.layers.Layer):
    """Attention to the text, where asked for to a memory too, and a net for each token; norms come first.

    Args:
        num_heads: Of the queries.
        hidden_dim: Units of the net for each token.
        num_key_value_heads: Fewer share keys and values among groups of heads; by default as many.
        causal: Whether a token sees none after it: true of decoders, false of encoders.
        cross_attention: Whether there is a memory, such as a sentence to be translated.
        rotary: Whether positions turn queries and keys; else the tokens have no order but what their
            embeddings tell.
        normalization: `rms`, or `layer` with mean and bias.
        activation: Of the net: `swiglu` or `gelu`.
        dropout: Share of the units that is dropped of what attention and net add.
        **kwargs: Of every Keras layer.

    Call arguments:
        inputs: Shape `(batch_size, length, width)`.
        memory: With `cross_attention`, shape `(batch_size, memory_length, memory_width)`.
        padding_mask: Bool, `(batch_size, length)`: padding is false. A causal text that is padded at its end
            needs none.
        memory_mask: Likewise of the memory.

    Output shape:
        That of the inputs.

    Reference:
        Vaswani et al., 2017, section 3.1; norms first: Xiong et al., On Layer Normalization in the
        Transformer Architecture (2020); RMS: Zhang and Sennrich, Root Mean Square Layer Normalization (2019)

    Example:

    >>> block = TransformerBlock(num_heads=2, hidden_dim=32)
    >>> block(ops.ones((2, 3, 8))).shape
    TensorShape([2, 3, 8])
    """

    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        num_key_value_heads: int | None = None,
        causal: bool = True,
        cross_attention: bool = False,
        rotary: bool = True,
        normalization: Normalization = "rms",
        activation: Activation = "swiglu",
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if normalization not in ("rms", "layer"):
            raise ValueError(f"normalization must be rms or layer. Received: {normalization!r}.")
        self.settings = {
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
            "num_key_value_heads": num_key_value_heads,
            "causal": causal,
            "cross_attention": cross_attention,
            "rotary": rotary,
            "normalization": normalization,
            "activation": activation,
            "dropout": dropout,
        }
        shared: dict[str, Any] = {"dtype": self.dtype_policy}
        self.attention = SelfAttention(
            num_heads, num_key_value_heads, causal, rotary, name="attention", **shared
        )
        self.feed_forward = FeedForward(hidden_dim, activation, name="feed_forward", **shared)
        self.drop = keras.layers.Dropout(dropout, **shared)
        self.cross_attention = None
        if cross_attention:
            self.cross_attention = CrossAttention(
                num_heads, num_key_value_heads, name="cross_attention", **shared
            )
        norm = keras.layers.RMSNormalization if normalization == "rms" else keras.layers.LayerNormalization
        self.norms = [norm(epsilon=1e-6, **shared) for _ in range(3 if cross_attention else 2)]

    def build(self, inputs_shape: Any, memory_shape: Any = None) -> None:
        """Make the parts."""
        self.attention.build(inputs_shape)
        self.feed_forward.build(inputs_shape)
        if self.cross_attention is not None:
            self.cross_attention.build(inputs_shape, memory_shape)
        for norm in self.norms:
            norm.build(inputs_shape)

    def call(
        self,
        inputs: Any,
        memory: Any = None,
        padding_mask: Any = None,
        memory_mask: Any = None,
        training: bool = False,
    ) -> Any:
        """Return what the block makes of whole texts."""
        return self.begin(inputs, self.of_memory(memory), padding_mask, memory_mask, training)[0]

    def of_memory(self, memory: Any) -> KeysValues | None:
        """Return the keys and values of a memory, which stay the same for each step; nothing without one."""
        return None if self.cross_attention is None else self.cross_attention.keys_values(memory)

    def begin(
        self,
        inputs: Any,
        memory: KeysValues | None = None,
        padding_mask: Any = None,
        memory_mask: Any = None,
        training: bool = False,
    ) -> tuple[Any, KeysValues]:
        """Return what the block makes of whole texts, and their keys and values.

        Args:
            inputs: Shape `(batch_size, length, width)`.
            memory: What `of_memory` returned.
            padding_mask: Bool, `(batch_size, length)`.
            memory_mask: Bool, `(batch_size, memory_length)`.
            training: Whether units are dropped.
        """
        attended, cache = self.attention.begin(self.norms[0](inputs), padding_mask)
        return self._rest(inputs, attended, memory, memory_mask, training), cache

    def step(
        self,
        inputs: Any,
        cache: KeysValues,
        places: Any,
        memory: KeysValues | None = None,
        memory_mask: Any = None,
    ) -> tuple[Any, KeysValues]:
        """Return what the block makes of one more token of each text, and the longer cache.

        Args:
            inputs: Shape `(batch_size, 1, width)`.
            cache: Keys and values of fixed length, of which those before `places` count.
            places: Where each text's token stands, from 0, int, shape `(batch_size,)`.
            memory: What `of_memory` returned.
            memory_mask: Bool, `(batch_size, memory_length)`.
        """
        attended, cache = self.attention.step(self.norms[0](inputs), cache, places)
        return self._rest(inputs, attended, memory, memory_mask, False), cache

    def _rest(
        self, inputs: Any, attended: Any, memory: KeysValues | None, memory_mask: Any, training: bool
    ) -> Any:
        states = inputs + self.drop(attended, training=training)
        if self.cross_attention is not None and memory is not None:
            seen = self.cross_attention.attend(self.norms[1](states), memory, memory_mask)
            states = states + self.drop(seen, training=training)
        return states + self.drop(self.feed_forward(self.norms[-1](states)), training=training)

    def compute_output_shape(self, input_shape: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), **self.settings}


def with_room(cache: KeysValues, length: int) -> KeysValues:
    """Return keys and values of a begun text with room for `length` tokens in all, for `step` to fill.

    Args:
        cache: What `begin` returned, of no more tokens.
        length: Of the result.
    """

    def longer(kept: Any) -> Any:
        return ops.pad(kept, ((0, 0), (0, length - ops.shape(kept)[1]), (0, 0), (0, 0)))

    return longer(cache[0]), longer(cache[1])

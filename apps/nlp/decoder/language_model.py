"""The net that says how likely each token comes next, and how it is asked token by token."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from core.layers import TransformerBlock
from core.layers.transformer import Activation, Normalization, with_room


def language_model(
    size: int,
    context: int | None,
    *,
    depth: int,
    width: int,
    num_heads: int,
    num_key_value_heads: int | None = None,
    hidden_dim: int | None = None,
    normalization: Normalization = "rms",
    activation: Activation = "swiglu",
    dropout: float = 0.0,
) -> keras.Model:
    """Return a causal Transformer from ids to the logits of the next, whose embedding is its last layer too.

    Args:
        size: How many ids there are.
        context: Tokens that are read at once; nothing where they may be any number.
        depth: Blocks.
        width: Units of a token.
        num_heads: Of the queries.
        num_key_value_heads: Fewer share keys and values; by default as many.
        hidden_dim: Units of the net in each block; by default 8/3 of the width with SwiGLU, else 4 times.
        normalization: `rms` or `layer`.
        activation: `swiglu` or `gelu`.
        dropout: Share of the units that is dropped.

    Reference:
        Radford et al., Language Models are Unsupervised Multitask Learners (2019); rotary positions, RMS norm
        and SwiGLU as in Touvron et al., LLaMA (2023)
    """
    start = keras.initializers.RandomNormal(stddev=0.02)
    embed = keras.layers.ReversibleEmbedding(
        size, width, embeddings_initializer=start, reverse_dtype="float32", name="tokens"
    )
    norm = keras.layers.RMSNormalization if normalization == "rms" else keras.layers.LayerNormalization
    ids = keras.Input((context,), dtype="int32", name="ids")
    states = keras.layers.Dropout(dropout, name="embedded")(embed(ids))
    for number in range(depth):
        states = TransformerBlock(
            num_heads,
            hidden_dim or (width * 8 // 3 if activation == "swiglu" else 4 * width),
            num_key_value_heads,
            normalization=normalization,
            activation=activation,
            dropout=dropout,
            name=f"block_{number}",
        )(states)
    logits = embed(norm(epsilon=1e-6, name="last_norm")(states), reverse=True)
    return keras.Model(ids, logits, name="language_model")


class LanguageModelSteps:
    """A language model that is asked token by token; `writing.Steps` says how.

    Args:
        model: What `language_model` returned.
        length: Tokens of its window, where it takes any number.
    """

    def __init__(self, model: keras.Model, length: int | None = None) -> None:
        self.model = model
        self.length = length or int(model.inputs[0].shape[1])
        self.embed = model.get_layer("tokens")
        self.norm = model.get_layer("last_norm")
        self.blocks = [layer for layer in model.layers if isinstance(layer, TransformerBlock)]

    def begin(self, given: Any) -> tuple[Any, Any]:
        """Return the logits after the prompts, and the cache.

        Args:
            given: Ids, `(batch_size, prompt_length)`, and the lengths without padding, `(batch_size,)`.
        """
        ids, lengths = given
        states, cache = self.embed(ids), []
        for block in self.blocks:
            states, kept = block.begin(states)
            cache.append(with_room(kept, self.length))
        is_last = ops.equal(ops.arange(ops.shape(ids)[1])[None], lengths[:, None] - 1)
        last = ops.sum(ops.where(is_last[..., None], states, ops.zeros_like(states)), axis=1, keepdims=True)
        return self._logits(last), cache

    def step(self, tokens: Any, cache: Any, places: Any) -> tuple[Any, Any]:
        """Return the logits after one more token a text, and the cache."""
        states, longer = self.embed(tokens), []
        for block, kept in zip(self.blocks, cache, strict=True):
            states, kept = block.step(states, kept, places)
            longer.append(kept)
        return self._logits(states), longer

    def _logits(self, states: Any) -> Any:
        return self.embed(self.norm(states), reverse=True)[:, 0]

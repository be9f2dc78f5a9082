"""The net that reads a text and writes its translation, and how it is asked token by token."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from apps.nlp.subwords.subwords import PADDING
from core.layers import TransformerBlock
from core.layers.transformer import Activation, Normalization


def encoder_decoder(
    size: int,
    *,
    depth: int,
    decoder_depth: int | None = None,
    width: int,
    num_heads: int,
    hidden_dim: int | None = None,
    normalization: Normalization = "rms",
    activation: Activation = "swiglu",
    dropout: float = 0.0,
) -> keras.Model:
    """Return a Transformer from `source` and `target` to the logits of the target's next tokens.

    One embedding is that of both sides, and the last layer too. Both sides may have any length.

    Args:
        size: How many ids there are.
        depth: Blocks that read.
        decoder_depth: Blocks that write; by default as many.
        width: Units of a token.
        num_heads: Of attention.
        hidden_dim: Units of the net in each block; by default 8/3 of the width with SwiGLU, else 4 times.
        normalization: `rms` or `layer`.
        activation: `swiglu` or `gelu`.
        dropout: Share of the units that is dropped.

    Reference:
        Vaswani et al., Attention Is All You Need (2017), of the embedding section 3.4; one for all: Press and
        Wolf, Using the Output Embedding to Improve Language Models (2017), section 3
    """
    norm = keras.layers.RMSNormalization if normalization == "rms" else keras.layers.LayerNormalization
    # So small that logits are near 0 at first; what is read is made as large as what blocks add to it.
    start = keras.initializers.RandomNormal(stddev=width**-0.5)
    scale = keras.layers.Rescaling(width**0.5, name="scale")
    embed = keras.layers.ReversibleEmbedding(
        size, width, embeddings_initializer=start, reverse_dtype="float32", name="tokens"
    )

    def block(name: str, causal: bool) -> TransformerBlock:
        return TransformerBlock(
            num_heads,
            hidden_dim or (width * 8 // 3 if activation == "swiglu" else 4 * width),
            causal=causal,
            cross_attention=causal,
            normalization=normalization,
            activation=activation,
            dropout=dropout,
            name=name,
        )

    source, target = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "target"))
    mask = ops.not_equal(source, PADDING)
    memory = keras.layers.Dropout(dropout)(scale(embed(source)))
    for number in range(depth):
        memory = block(f"encoder_{number}", causal=False)(memory, padding_mask=mask)
    memory = norm(epsilon=1e-6, name="encoder_norm")(memory)
    states = keras.layers.Dropout(dropout)(scale(embed(target)))
    for number in range(decoder_depth or depth):
        states = block(f"decoder_{number}", causal=True)(states, memory, memory_mask=mask)
    logits = embed(norm(epsilon=1e-6, name="decoder_norm")(states), reverse=True)
    return keras.Model({"source": source, "target": target}, logits, name="translator")


class TranslatorSteps:
    """A translator that is asked token by token; `beams.BeamSteps` says how.

    Args:
        model: What `encoder_decoder` returned.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.tokens, self.scale = model.get_layer("tokens"), model.get_layer("scale")
        self.encoder_norm, self.decoder_norm = (
            model.get_layer(f"{side}_norm") for side in ("encoder", "decoder")
        )
        blocks = [layer for layer in model.layers if isinstance(layer, TransformerBlock)]
        self.readers, self.writers = (
            [each for each in blocks if each.name.startswith(side)] for side in ("encoder", "decoder")
        )
        self.looks = [each.cross_attention for each in self.writers if each.cross_attention is not None]

    def begin(self, given: Any, beams: int, length: int) -> tuple[Any, Any]:
        """Return the memory of texts for so many beams each, and empty caches of a length.

        Args:
            given: Ids, `(batch_size, source_length)`.
            beams: Of each text.
            length: Tokens to write at most.
        """
        states, mask = self._read(given)
        memory = [
            tuple(ops.repeat(each, beams, axis=0) for each in look.keys_values(states)) for look in self.looks
        ]
        num_rows = ops.shape(given)[0] * beams
        cache = []
        for keys, values in memory:
            shape = (num_rows, length, *keys.shape[2:])
            cache.append((ops.zeros(shape, keys.dtype), ops.zeros(shape, values.dtype)))
        return (memory, ops.repeat(mask, beams, axis=0)), cache

    def attention(self, source: Any, target: Any) -> Any:
        """Return how much each token of targets looks at each of sources, the mean of all heads and blocks.

        Args:
            source: Ids, `(batch_size, source_length)`.
            target: Ids, `(batch_size, target_length)`.

        Returns:
            Float32, shape `(batch_size, target_length, source_length)`.
        """
        memory, mask = self._read(source)
        states, weights = self._embedded(target), []
        for block, look in zip(self.writers, self.looks, strict=True):
            attended, _ = block.attention.begin(block.norms[0](states))
            weights.append(look.weights_of(block.norms[1](states + attended), memory, mask))
            states = block(states, memory, memory_mask=mask)
        return ops.mean(ops.stack(weights), axis=0)

    def _embedded(self, ids: Any) -> Any:
        return self.scale(self.tokens(ids))

    def _read(self, source: Any) -> tuple[Any, Any]:
        mask, states = ops.not_equal(source, PADDING), self._embedded(source)
        for block in self.readers:
            states = block(states, padding_mask=mask)
        return self.encoder_norm(states), mask

    def step(self, tokens: Any, memory: Any, cache: Any, places: Any) -> tuple[Any, Any]:
        """Return the logits after one more token a row, `(num_rows, vocabulary_size)`, and the cache."""
        states, longer = self._embedded(tokens), []
        for block, of_memory, kept in zip(self.writers, memory[0], cache, strict=True):
            states, kept = block.step(states, kept, places, of_memory, memory[1])
            longer.append(kept)
        return self.tokens(self.decoder_norm(states), reverse=True)[:, 0], longer
